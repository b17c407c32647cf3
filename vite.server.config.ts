import { chmod, readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const SERVER = resolve('dist/server');

/** What ships files beside its code that it looks for at run time, or is loaded only where it is needed. */
const NOT_BUNDLED = ['ioredis', 'lmdb', 'pino', 'pino-pretty', 'reflect-metadata', 'thread-stream'];

/**
 * The service's programs, bundled over what `nest build` has compiled: a start that loads some 1,700 files takes
 * twice as long and more than twice the CPU. What applications import, `dist/server/herald`, stays as it was compiled.
 */
export default defineConfig({
  publicDir: false,
  plugins: [compiled(), runnable()],
  build: {
    ssr: true,
    outDir: SERVER,
    emptyOutDir: false,
    target: 'node20',
    sourcemap: true,
    minify: false,
    license: { fileName: 'license.md' },
    rolldownOptions: {
      input: ['main', 'cli', 'healthcheck', 'start'].map((name) => `${SERVER}/${name}.js`),
      // All in one folder, where each module's files have the same address from each chunk.
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
    },
  },
  ssr: { noExternal: true, external: NOT_BUNDLED },
});

/** Lets the programs that npm links be run, as npm does it only when it first links them. */
function runnable(): Plugin {
  return {
    name: 'runnable',
    writeBundle: async () => {
      await Promise.all(['cli', 'start'].map((name) => chmod(`${SERVER}/${name}.js`, 0o755)));
    },
  };
}

/** Reads a compiled module with its source map, and lets it find the files beside it although it ends up elsewhere. */
function compiled(): Plugin {
  return {
    name: 'compiled',
    async load(id) {
      if (!id.startsWith(SERVER)) return null;
      const [code, map] = await Promise.all([readFile(id, 'utf8'), readFile(`${id}.map`, 'utf8')]);
      const place = JSON.stringify(`./${relative(SERVER, id)}`);
      return { code: code.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`), map };
    },
  };
}
