import type { Lease } from '../shared-state.js';
import { LeaseOrder } from './lease-order.js';

/** The leases that have a matcher, by its key, in the order of their serials. */
export class MatcherIndex {
  /** A lease alone takes a fraction of the memory of an order, and most matchers are those of one subscriber. */
  private readonly leases = new Map<string, Lease | LeaseOrder>();

  /** Adds a lease that is newer than all that are there, once for each matcher. */
  add(matcher: string, lease: Lease): void {
    const earlier = this.leases.get(matcher);
    if (earlier === undefined) this.leases.set(matcher, lease);
    else if (earlier instanceof LeaseOrder) earlier.add(lease);
    else this.leases.set(matcher, LeaseOrder.of(earlier, lease));
  }

  delete(matcher: string, lease: Lease): void {
    const found = this.leases.get(matcher);
    if (found instanceof LeaseOrder) found.delete(lease);
    if (found === lease || (found instanceof LeaseOrder && found.isEmpty)) this.leases.delete(matcher);
  }

  /** The first lease with the matcher and a number above `after`. */
  next(matcher: string, after: number): Lease | undefined {
    const found = this.leases.get(matcher);
    if (found instanceof LeaseOrder) return found.next(after);
    return found && found.serial > after ? found : undefined;
  }

  clear(): void {
    this.leases.clear();
  }
}
