import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Herald } from './herald.js';

/** What there is at first, and how much is made each time that it is full. Mebibytes. */
const ROOM = 4;

/** A directory that is soon full, until it grows. `using` takes it away. */
export interface Room extends Disposable {
  readonly path: string;
  /** To be told of each process that writes to it, as soon as it runs. */
  add(herald: Herald): void;
  grow(): void;
}

/** A disk in memory of its own, which only root may mount. */
export class SmallDisk implements Room {
  readonly path = newDirectory();
  private size = ROOM;

  /** @throws when this process may not mount one. */
  constructor() {
    try {
      run('mount', '-t', 'tmpfs', '-o', `size=${this.size}m`, 'herald', this.path);
    } catch (error) {
      rmdirSync(this.path);
      throw error;
    }
  }

  static get mayBeMade(): boolean {
    try {
      new SmallDisk()[Symbol.dispose]();
      return true;
    } catch {
      return false;
    }
  }

  add(): void {
    // It is as small for all.
  }

  grow(): void {
    this.size += ROOM;
    run('mount', '-o', `remount,size=${this.size}m`, this.path);
  }

  [Symbol.dispose](): void {
    run('umount', this.path);
    rmdirSync(this.path);
  }
}

/** Processes that may write no larger files (`RLIMIT_FSIZE`), which needs no privileges. */
export class LimitedFiles implements Room {
  readonly path = newDirectory();
  // A process takes some room as soon as it starts, and the kernel refuses even what lies there where the limit is lower.
  private size = 2 * ROOM;
  private pid: number | undefined;

  add({ pid }: Herald): void {
    this.pid = pid;
    this.limit();
  }

  grow(): void {
    this.size += ROOM;
    this.limit();
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }

  private limit(): void {
    // The soft limit alone: who has given away the hard one does not get it back.
    if (this.pid) run('prlimit', '--pid', String(this.pid), `--fsize=${this.size * 1024 ** 2}:`);
  }
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'herald-room-'));
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: 'pipe' });
}
