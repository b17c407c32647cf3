import type { MemoryLimits } from './memory-limits.js';

const MEBIBYTE = 1024 ** 2;

/** How much memory something gets. */
interface Part {
  readonly variable: string;
  /** Bytes, where there is memory enough. */
  readonly usual: number;
  /** The shares of the memory that it gets where nobody has asked for more, and that it can be given at most. */
  readonly share: number;
  readonly most: number;
}

/**
 * What is held in memory for long. With all of them at their shares, a heap of 128 MB has been filled to the brim at full
 * speed and goes on; with all at their most as well, and dies at a half and an eighth of it.
 */
const PARTS = {
  retained: { variable: 'HERALD_RETAIN_BYTES', usual: 256 * MEBIBYTE, share: 1 / 4, most: 3 / 8 },
  presence: { variable: 'HERALD_PRESENCE_RETAIN_BYTES', usual: 16 * MEBIBYTE, share: 1 / 64, most: 1 / 32 },
  recent: { variable: 'HERALD_RECENT_BYTES', usual: 64 * MEBIBYTE, share: 1 / 16, most: 1 / 8 },
  index: { variable: 'HERALD_INDEX_BYTES', usual: 256 * MEBIBYTE, share: 1 / 4, most: 3 / 8 },
} satisfies Record<string, Part>;

/** Cuts what is held in memory to what there is, because a process without memory loses everything. */
export class MemoryFit {
  /** What the operator has asked for and does not get. */
  readonly warnings: string[] = [];
  /** Bytes that are shared out: half of what the process may take, because not all of it is the heap's. */
  private readonly room: number;

  constructor({ heap, process }: MemoryLimits) {
    this.room = Math.min(heap, process / 2);
  }

  /** Bytes that a part gets, of which the operator may have `asked` for so many. */
  bytesOf(name: keyof typeof PARTS, asked: number | undefined): number {
    const { variable, usual, share, most } = PARTS[name];
    if (asked === undefined) return Math.min(usual, Math.floor(this.room * share));
    const fitting = Math.floor(this.room * most);
    if (asked <= fitting) return asked;
    this.warnings.push(
      `${variable} asks for ${shown(asked)}, and memory has room for ${shown(fitting)}, which is what counts: give the process more, also by node --max-old-space-size`,
    );
    return fitting;
  }

  /** The same for what is held elsewhere with some engines. */
  bytesWhere(isInMemory: boolean, name: keyof typeof PARTS, asked: number | undefined): number {
    return isInMemory ? this.bytesOf(name, asked) : (asked ?? PARTS[name].usual);
  }
}

function shown(bytes: number): string {
  return `${Math.floor(bytes / MEBIBYTE)} MB`;
}
