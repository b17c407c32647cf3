import { type DynamicModule, Module } from '@nestjs/common';
import { DOCS_FILES, DocsController } from './docs.controller.js';
import { docsFiles } from './docs-files.js';

/** `GET /docs`, where Swagger UI is installed. */
@Module({})
export class DocsModule {
  static forRoot(): DynamicModule {
    const files = docsFiles();
    if (!files) return { module: DocsModule };
    return {
      module: DocsModule,
      controllers: [DocsController],
      providers: [{ provide: DOCS_FILES, useValue: files }],
    };
  }
}
