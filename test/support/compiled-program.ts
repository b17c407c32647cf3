import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from '@swc/core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What `src` has become: in the built service, or in the package of the module, where suites run on that. */
const BUILT =
  process.env['HERALD_NEST'] === undefined ? join(ROOT, 'dist/server') : join(process.env['HERALD_NEST'], 'lib');

/** A program in TypeScript, for a process of its own: it runs on what is built, and not on its source. */
export class CompiledProgram {
  private compiled: Promise<string> | undefined;

  /** @param source its file, from the root. */
  constructor(private readonly source: string) {}

  /** The command that runs it with these arguments. */
  async command(...given: readonly string[]): Promise<[string, ...string[]]> {
    this.compiled ??= this.compile();
    return [process.execPath, '--enable-source-maps', await this.compiled, ...given];
  }

  /** Puts the compiled file below `dist`, with its imports of `src` as ones of what is built. */
  private async compile(): Promise<string> {
    const { code } = await transform(await readFile(join(ROOT, this.source), 'utf8'), {
      filename: this.source,
      sourceMaps: 'inline',
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        keepClassNames: true,
      },
      module: { type: 'es6' },
    });
    const path = join(ROOT, 'dist', this.source.replace(/\.ts$/, '.js'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code.replaceAll(/(['"])(?:\.\.\/)+src\//g, `$1${pathToFileURL(BUILT).href}/`));
    return path;
  }
}
