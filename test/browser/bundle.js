import process from 'node:process';
import { build } from 'vite';

/** Prints the script at the path that it is given, with all that it imports, as one. */
const [, , entry] = process.argv;
const [{ output }] = await build({
  configFile: false,
  logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"development"' },
  build: {
    write: false,
    minify: false,
    lib: { entry, formats: ['es'] },
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
process.stdout.write(output[0].code);
