import { Inject, Injectable, type INestApplication } from '@nestjs/common';
import type { Config } from '../../config/config.js';
import { CONFIG } from '../../config/config.module.js';

/** The OpenAPI document of the service: made when it is first asked for, because few processes ever are. */
@Injectable()
export class ApiDocument {
  private app: INestApplication | undefined;
  private text: Promise<string> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Says which application is to be described. */
  describes(app: INestApplication): void {
    this.app = app;
  }

  /** The document as JSON. */
  json(): Promise<string> {
    this.text ??= this.make();
    return this.text;
  }

  private async make(): Promise<string> {
    if (!this.app) throw new Error('nobody has said which application the document is about');
    const { createDocument } = await import('./document.js');
    return JSON.stringify(createDocument(this.app, this.config));
  }
}
