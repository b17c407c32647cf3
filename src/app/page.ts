import { fileURLToPath } from 'node:url';
import type { DynamicModule } from '@nestjs/common';
import { ServeStaticModule } from '@nestjs/serve-static';
import type { FastifyReply } from 'fastify';

const ROOT = fileURLToPath(new URL('../../client', import.meta.url));

/** The page at `/`, as Vite built it. */
export function servePage(): DynamicModule {
  return ServeStaticModule.forRoot({
    rootPath: ROOT,
    // Matches nothing: the page is one document, so no other path falls back to it.
    renderPath: '/:never(^\\b$)',
    // Nest's types of `setHeaders` are those of `send`; `@fastify/static` 10 gives Fastify's reply.
    serveStaticOptions: { cacheControl: false, setHeaders: setCaching as never },
  });
}

/** Vite names its assets after their content; the document that names them must be asked for each time. */
function setCaching(reply: FastifyReply, path: string): void {
  const hashed = path.includes('/assets/');
  void reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
}
