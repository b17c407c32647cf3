import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HubError } from '../../access/hub.errors.js';
import { type DocsFiles, INDEX } from './docs-files.js';

/** The injection token of {@link DocsFiles}. */
export const DOCS_FILES = Symbol('docs files');

/** For developers: all routes, to look at and to try. */
@Controller('docs')
export class DocsController {
  constructor(@Inject(DOCS_FILES) private readonly files: DocsFiles) {}

  @Get()
  page(@Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer | string> {
    return this.file(INDEX, reply);
  }

  @Get(':file')
  async file(
    @Param('file') name: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | string> {
    const file = this.files.get(name);
    if (!file) throw new HubError('not-found', 'There is nothing at this path.');
    void reply.header('content-type', file.type);
    return file.read();
  }
}
