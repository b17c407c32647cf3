import { Controller, Get, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HubError } from '../../access/hub.errors.js';
import { type DocsFiles, INDEX } from './docs-files.js';

/** The injection token of {@link DocsFiles}. */
export const DOCS_FILES = Symbol('docs files');

const POLICY = 'content-security-policy';

/**
 * For developers: all routes, to look at and to try. Swagger UI gives the browser markup as text, which it has cleaned itself: so its page is the
 * only one that may do that, and everything else of the policy holds for it as well.
 */
@Controller('docs')
export class DocsController {
  constructor(@Inject(DOCS_FILES) private readonly files: DocsFiles) {}

  @Get()
  page(@Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer | string> {
    const policy = String(reply.getHeader(POLICY));
    void reply.header(POLICY, policy.replace(/;?require-trusted-types-for [^;]*/, ''));
    return this.file(INDEX, reply);
  }

  @Get(':file')
  async file(@Param('file') name: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<Buffer | string> {
    const file = this.files.get(name);
    if (!file) throw new HubError('not-found', 'There is nothing at this path.');
    void reply.header('content-type', file.type);
    return file.read();
  }
}
