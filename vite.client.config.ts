import { defineConfig } from 'vite';

/**
 * The client library in `client/lib`: built into `dist/client/herald`, from where the package exports it and the service
 * serves it, beside the page.
 */
export default defineConfig({
  publicDir: false,
  plugins: [
    {
      // The adapters take the core as it is: bundled together with them, it would come in two files.
      name: 'core-beside-adapters',
      enforce: 'pre',
      resolveId: (id, importer = '') =>
        id === '../index.js' && importer.includes('/adapters/') ? { id: './client.js', external: true } : undefined,
    },
  ],
  build: {
    outDir: 'dist/client/herald',
    emptyOutDir: true,
    target: 'es2022',
    // Beside the files, for whoever wants them; without a word in the files, which every page loads.
    sourcemap: 'hidden',
    lib: {
      formats: ['es'],
      entry: {
        client: 'client/lib/index.ts',
        resume: 'client/lib/resume.ts',
        eventsource: 'client/lib/event-source.ts',
        worker: 'client/lib/share/worker.ts',
        rxjs: 'client/lib/adapters/rxjs.ts',
        react: 'client/lib/adapters/react.ts',
        vue: 'client/lib/adapters/vue.ts',
      },
    },
    rolldownOptions: {
      // What only the core and its lazy parts need stays in the core.
      preserveEntrySignatures: 'allow-extension',
      external: ['rxjs', 'react', 'vue'],
      // Vite leaves modules of a library half minified, for bundlers. These are also served to pages as they are.
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js', minify: true, comments: false },
    },
  },
});
