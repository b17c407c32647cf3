import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtPackage, type PackageName, PACKAGES } from '../support/packages.js';

/** What npm says of a tarball. */
interface Packed {
  readonly name: string;
  readonly filename: string;
  /** Bytes of the tarball, and of what is in it. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** The packages as npm would publish them, until the test is over. */
export class Tarballs implements AsyncDisposable {
  private constructor(
    private readonly folder: string,
    private readonly packed: readonly Packed[],
  ) {}

  static async make(): Promise<Tarballs> {
    const folder = await mkdtemp(join(tmpdir(), 'herald-tarballs-'));
    const args = ['pack', '--json', '--pack-destination', folder, ...PACKAGES.map(builtPackage)];
    const { stdout } = await promisify(execFile)('npm', args, { cwd: folder, maxBuffer: 16 * 1024 ** 2 });
    return new Tarballs(folder, JSON.parse(stdout) as Packed[]);
  }

  of(name: PackageName): Packed {
    const found = this.packed.find((one) => one.name === name);
    if (!found) throw new Error(`npm has packed no ${name}`);
    return found;
  }

  pathOf(name: PackageName): string {
    return join(this.folder, this.of(name).filename);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
