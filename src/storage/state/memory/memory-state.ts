import { randomBytes, randomUUID } from 'node:crypto';
import {
  type Arrival,
  type Departure,
  type Entered,
  type Lease,
  type LivingProcess,
  type ProcessReport,
  type Revoked,
  SharedState,
} from '../shared-state.js';
import { LeaseOrder } from './lease-order.js';
import { MatcherIndex } from './matcher-index.js';

/** A lease, and what it is found by. */
export interface HeldLease extends Lease {
  readonly key: string;
  readonly matchers: readonly string[];
}

/** Matchers of leases that are taken out of the index in one turn, about a millisecond's worth. */
const MATCHERS_AT_ONCE = 4_096;

/** The state of a hub that has one process. It ends with the process. */
export class MemoryState extends SharedState {
  readonly processId = randomBytes(8).toString('hex');
  private readonly leases = new Map<string, HeldLease>();
  private readonly order = new LeaseOrder();
  private readonly index = new MatcherIndex();
  /** Leases that a connection has, by the connection's number. */
  private readonly connected = new Map<number, HeldLease>();
  /** Leases that no connection has, by their key. */
  private readonly away = new Map<string, Set<HeldLease>>();
  /** When leases that no connection has are over. The earliest comes first, because the grace is the same for all. */
  private readonly deadlines = new Map<HeldLease, number>();
  private serial = 0;

  /** @param grace milliseconds for which a lease that nobody has can be taken up. */
  constructor(
    private readonly grace: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    super();
  }

  change(changes: readonly (Arrival | Departure)[]): Promise<readonly Entered[]> {
    const entered: Entered[] = [];
    for (const change of changes) {
      if (change.kind === 'enter') entered.push(this.enter(change));
      else this.leave(change.ref);
    }
    return Promise.resolve(entered);
  }

  renew(_held: number): Promise<readonly Lease[]> {
    const now = this.now();
    const over: Lease[] = [];
    let matchers = 0;
    for (const [lease, deadline] of this.deadlines) {
      if (deadline > now || over.length === SharedState.LARGEST_END || matchers >= MATCHERS_AT_ONCE) break;
      this.take(lease);
      this.remove(lease);
      over.push(lease);
      matchers += lease.matchers.length;
    }
    return Promise.resolve(over);
  }

  /**
   * Does nothing, because {@link renew} has deleted the leases: there is no other process that could tell that they are
   * over.
   */
  forget(): Promise<void> {
    return Promise.resolve();
  }

  release(): Promise<readonly Lease[]> {
    const over = [...this.leases.values()];
    const tables = [this.leases, this.order, this.index, this.connected, this.away, this.deadlines];
    for (const table of tables) table.clear();
    return Promise.resolve(over);
  }

  async *list(after: number, matchers?: readonly string[]): AsyncIterable<Lease> {
    for (let last = after; ;) {
      const lease = matchers ? this.nextWith(matchers, last) : this.order.next(last);
      if (!lease) return;
      yield lease;
      last = lease.serial;
    }
  }

  find(subscriber: string): Promise<Lease | undefined> {
    return Promise.resolve(this.leases.get(subscriber));
  }

  revoke(..._revoked: readonly Revoked[]): Promise<void> {
    return Promise.resolve();
  }

  forgetRevoked(_names: readonly string[]): Promise<void> {
    return Promise.resolve();
  }

  revocations(_known: Iterable<Revoked>): Promise<readonly Revoked[]> {
    return Promise.resolve([]);
  }

  processes(report: ProcessReport): Promise<readonly LivingProcess[]> {
    return Promise.resolve([{ ...report, id: this.processId, isThis: true }]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Leases that nobody has, as if their connections had just gone. */
  protected restore(leases: readonly Omit<HeldLease, 'serial'>[]): void {
    for (const lease of leases) this.setAside(this.insert(lease));
  }

  /** All leases, in the order of their arrival. */
  protected held(): Iterable<HeldLease> {
    return this.leases.values();
  }

  private enter({ ref, key, details, matchers, isResuming }: Arrival): Entered {
    const [former] = (isResuming && this.away.get(key)) || [];
    if (former) {
      this.take(former);
      this.connected.set(ref, former);
      return { lease: former, isNew: false };
    }
    const lease = this.insert({ subscriber: `urn:uuid:${randomUUID()}`, key, details, matchers });
    this.connected.set(ref, lease);
    return { lease, isNew: true };
  }

  private insert(given: Omit<HeldLease, 'serial'>): HeldLease {
    this.serial += 1;
    const lease = { ...given, serial: this.serial };
    this.leases.set(lease.subscriber, lease);
    this.order.add(lease);
    for (const matcher of new Set(lease.matchers)) this.index.add(matcher, lease);
    return lease;
  }

  private remove(lease: HeldLease): void {
    this.leases.delete(lease.subscriber);
    this.order.delete(lease);
    for (const matcher of lease.matchers) this.index.delete(matcher, lease);
  }

  /** The first lease after `after` that has one of the matchers. */
  private nextWith(matchers: readonly string[], after: number): Lease | undefined {
    const next = matchers.flatMap((matcher) => this.index.next(matcher, after) ?? []);
    return next.toSorted((a, b) => a.serial - b.serial)[0];
  }

  private leave(ref: number): void {
    const lease = this.connected.get(ref);
    if (!lease) return;
    this.connected.delete(ref);
    this.setAside(lease);
  }

  /** Nobody has it any more: it can be taken up for as long as the grace. */
  private setAside(lease: HeldLease): void {
    this.deadlines.set(lease, this.now() + this.grace);
    const others = this.away.get(lease.key);
    if (others) others.add(lease);
    else this.away.set(lease.key, new Set([lease]));
  }

  private take(lease: HeldLease): void {
    this.deadlines.delete(lease);
    const alike = this.away.get(lease.key);
    alike?.delete(lease);
    if (alike?.size === 0) this.away.delete(lease.key);
  }
}
