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
    // Nest types `setHeaders` after the package `send`, but `@fastify/static` 10 calls it with Fastify's reply.
    serveStaticOptions: { cacheControl: false, setHeaders: setCaching as never },
  });
}

/**
 * Vite puts a hash of the content into the names of assets, so those may be cached for good. The document that names
 * them has to be revalidated each time.
 */
function setCaching(reply: FastifyReply, path: string): void {
  const hashed = path.includes('/assets/');
  void reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
}
