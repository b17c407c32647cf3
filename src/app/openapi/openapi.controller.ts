import { Controller, Get, Header } from '@nestjs/common';
import { ApiDocument } from './api-document.js';

/** The service's description for programs. It is public, because it has no secret in it. */
@Controller('openapi.json')
export class OpenApiController {
  constructor(private readonly document: ApiDocument) {}

  @Get()
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'public, max-age=3600')
  get(): Promise<string> {
    return this.document.json();
  }
}
