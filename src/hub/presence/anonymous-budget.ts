import { LRUCache } from 'lru-cache';
import { networkOf } from '../../shared/network.js';
import { Allowance } from '../limits/allowance.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';

/** Networks that are remembered. Who is forgotten begins anew. */
const MAX_NETWORKS = 10_000;

/** Absences that are remembered: who is forgotten pays again for coming back. */
const MAX_ABSENCES = 10_000;

/**
 * How many anonymous readers of one network are told of as having come. A stranger can open and close any number of
 * streams, and each one that is told costs the log an entry. Who comes back to a lease costs none, and pays nothing.
 */
export class AnonymousBudget {
  private readonly networks = new LRUCache<string, Allowance>({ max: MAX_NETWORKS });
  /** How many have left lately that were told of, by the key of their lease. */
  private readonly absent: LRUCache<string, number>;

  /** @param grace milliseconds for which a lease can be taken up again. */
  constructor(
    grace: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.absent = new LRUCache({ max: MAX_ABSENCES, ttl: Math.max(1, grace), ttlResolution: 0, perf: { now } });
  }

  /** How many networks and absences are remembered. */
  get size(): number {
    return this.networks.size + this.absent.size;
  }

  /** Whether a reader that comes is told of, which counts it. */
  admits(key: string, { address, isResuming }: { readonly address: string; readonly isResuming: boolean }): boolean {
    const absences = isResuming ? this.absent.get(key) : undefined;
    if (absences) {
      if (absences > 1) this.absent.set(key, absences - 1);
      else this.absent.delete(key);
      return true;
    }
    const now = this.now();
    const allowance = this.allowanceOf(networkOf(address), now);
    if (!allowance.has(0, now)) return false;
    allowance.take(0);
    return true;
  }

  /** A reader that was told of has left. */
  left(key: string): void {
    this.absent.set(key, (this.absent.get(key) ?? 0) + 1);
  }

  private allowanceOf(network: string, now: number): Allowance {
    const known = this.networks.get(network);
    if (known) return known;
    const { atOnce, perSecond } = HUB_LIMITS.anonymousComings;
    const fresh = new Allowance({ updates: perSecond, bytes: 0 }, now, atOnce / perSecond);
    this.networks.set(network, fresh);
    return fresh;
  }
}
