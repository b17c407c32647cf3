import { fileURLToPath } from 'node:url';
import type { DynamicModule } from '@nestjs/common';
import { ServeStaticModule } from '@nestjs/serve-static';

const ROOT = fileURLToPath(new URL('../../client', import.meta.url));

interface Headers {
  setHeader(name: string, value: string): void;
}

/** The page at `/`, as Vite built it. */
export function servePage(): DynamicModule {
  return ServeStaticModule.forRoot({
    rootPath: ROOT,
    // Matches nothing: the page is one document, so no other path falls back to it.
    renderPath: '/:never(^\\b$)',
    serveStaticOptions: { cacheControl: false, setHeaders: setCaching as never },
  });
}

/** Vite names its assets after their content; the document that names them must be asked for each time. */
function setCaching(response: Headers, path: string): void {
  const hashed = path.includes('/assets/');
  response.setHeader('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
}
