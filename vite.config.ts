import { defineConfig } from 'vite';

const SERVICE = `http://localhost:${process.env['PORT'] ?? '8080'}`;

/** The page in `client/`: built into `dist/client`, which the service serves at `/`. */
export default defineConfig({
  root: 'client',
  base: './',
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    target: 'es2022',
    license: { fileName: 'license.md' },
    // No inlined assets and no inline polyfill script: the Content-Security-Policy allows files of our own only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    // `npm run dev`: Vite serves the page with live reload, everything else comes from the service. That is asked by the
    // page's own host, as it gives its tokens for development to its own page alone.
    proxy: Object.fromEntries(
      ['/events', '/.well-known', '/developer', '/admin'].map((path) => [
        path,
        { target: SERVICE, changeOrigin: false },
      ]),
    ),
  },
});
