import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate for this machine and its key, as paths of PEM files. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of the test's own, that certifies servers and clients. `await using` removes its files. */
export class Authority implements AsyncDisposable {
  /** Its certificate, which those who trust it are given. */
  readonly certificate: string;
  private readonly key: string;

  private constructor(
    private readonly openssl: string,
    private readonly folder: string,
  ) {
    this.certificate = join(folder, 'authority.crt');
    this.key = join(folder, 'authority.key');
  }

  static async create(openssl: string): Promise<Authority> {
    const authority = new Authority(openssl, await mkdtemp(join(tmpdir(), 'herald-authority-')));
    await authority.make('authority');
    return authority;
  }

  /** @param name that of the owner. */
  async certify(name: string): Promise<Certified> {
    await this.make(name, ['-CA', this.certificate, '-CAkey', this.key, '-addext', 'subjectAltName=IP:127.0.0.1']);
    return { certificate: join(this.folder, `${name}.crt`), key: join(this.folder, `${name}.key`) };
  }

  private async make(name: string, more: readonly string[] = []): Promise<void> {
    const files = ['-keyout', join(this.folder, `${name}.key`), '-out', join(this.folder, `${name}.crt`)];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    await run(this.openssl, ['req', ...kind, ...files, '-subj', `/CN=${name}`, ...more]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
