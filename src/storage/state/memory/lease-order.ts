import { firstIndex } from '../../../shared/first-index.js';
import type { Lease } from '../shared-state.js';

/** Leases in one block. */
const BLOCK = 256;

/**
 * Leases by their serials, in blocks: to add, remove or find one moves or looks at no more than a block, however many
 * there are.
 */
export class LeaseOrder {
  private readonly blocks: Lease[][] = [];

  static of(...leases: readonly Lease[]): LeaseOrder {
    const order = new LeaseOrder();
    for (const lease of leases) order.add(lease);
    return order;
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  /** Adds a lease that is newer than all that are there. */
  add(lease: Lease): void {
    const newest = this.blocks.at(-1);
    if (newest && newest.length < BLOCK) newest.push(lease);
    else this.blocks.push([lease]);
  }

  delete({ serial }: Lease): void {
    const { at, block, place } = this.locate(serial);
    if (block?.[place]?.serial !== serial) return;
    block.splice(place, 1);
    if (block.length === 0) this.blocks.splice(at, 1);
  }

  /** The first lease with a number above `after`. */
  next(after: number): Lease | undefined {
    const { block, place } = this.locate(after + 1);
    return block?.[place];
  }

  clear(): void {
    this.blocks.length = 0;
  }

  /** Where the first lease is whose serial is `serial` or more. */
  private locate(serial: number): { at: number; block: Lease[] | undefined; place: number } {
    const at = firstIndex(this.blocks.length, (index) => reaches(this.blocks[index]?.at(-1), serial));
    const block = this.blocks[at];
    return { at, block, place: firstIndex(block?.length ?? 0, (index) => reaches(block?.[index], serial)) };
  }
}

function reaches(lease: Lease | undefined, serial: number): boolean {
  return lease !== undefined && lease.serial >= serial;
}
