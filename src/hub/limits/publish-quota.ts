import { LRUCache } from 'lru-cache';
import { type Update, weightOf } from '../../storage/journal/update.js';
import type { Caller } from '../../access/caller.js';
import { HubError } from '../../access/hub.errors.js';
import { Allowance, type Rate } from './allowance.js';

export interface PublishQuotaOptions {
  /** For each publisher. */
  readonly each: Rate;
  /** For all of them together, at this process. */
  readonly all: Rate;
}

/** Publishers that are remembered. Who is forgotten begins with a full second's worth. */
const MAX_PUBLISHERS = 10_000;

/** Refuses what a publisher, or all of them, would publish beyond their rates. */
export class PublishQuota {
  private readonly all: Allowance;
  private readonly each = new LRUCache<string, Allowance>({ max: MAX_PUBLISHERS });
  private readonly isOff: boolean;

  constructor(
    private readonly options: PublishQuotaOptions,
    private readonly now: () => number = () => performance.now(),
  ) {
    const { each, all } = options;
    this.all = new Allowance(all, this.now());
    this.isOff = [each.updates, each.bytes, all.updates, all.bytes].every((limit) => limit === 0);
  }

  /**
   * Counts an update.
   * @throws {HubError} `rate-limited`; the update then counts for nothing.
   */
  spend(publisher: Caller, update: Update): void {
    if (this.isOff) return;
    const bytes = weightOf(update);
    const now = this.now();
    const own = this.allowanceOf(publisher, now);
    if (!own.has(bytes, now) || !this.all.has(bytes, now)) {
      throw new HubError('rate-limited', 'More is being published than is allowed: publish this again in a second.');
    }
    own.take(bytes);
    this.all.take(bytes);
  }

  private allowanceOf({ issuer, subject, tokenId }: Caller, now: number): Allowance {
    const name = JSON.stringify(subject === undefined ? [issuer, tokenId] : [issuer, subject, '']);
    const known = this.each.get(name);
    if (known) return known;
    const fresh = new Allowance(this.options.each, now);
    this.each.set(name, fresh);
    return fresh;
  }
}
