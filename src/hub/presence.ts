import { createHash, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Journal, JournalUnavailableError } from '../journal/journal.js';
import type { StreamInfo } from '../sse/stream-info.js';
import type { Grants } from './grants.js';
import type { Interest } from './interest.js';
import { matcherKey } from './matcher.js';
import {
  type ActiveSubscription,
  legacySubscriptionDocument,
  legacySubscriptionTopic,
  subscriptionDocument,
  subscriptionTopic,
} from './subscription-document.js';

export interface PresenceOptions {
  /** Milliseconds that somebody may be away without being missed. */
  readonly grace: number;
  readonly hubUrl: URL;
  /** Whether the 0.x dialect is told as well. */
  readonly legacy: boolean;
}

/** Somebody who is subscribed: for as long as a connection lasts, and the one that follows it. */
export interface Lease {
  /** In the order of coming. */
  readonly serial: number;
  readonly subscriber: string;
  readonly interest: Interest;
  readonly grants: Grants;
  /** By what a connection that follows is recognised. */
  readonly key: string;
  /** Runs while nobody is connected. */
  grace: NodeJS.Timeout | undefined;
}

/** Milliseconds between two attempts to tell, while the journal is away. */
const RETRY = 1_000;

/** What waits to be told. Beyond this the oldest news is worth the least, but so is a hub that runs out of memory. */
const MAX_WAITING = 100_000;

/**
 * Who is subscribed (R72–R76). A subscription is a lease and not a socket: a client whose connection is rotated, or breaks
 * and is resumed within the grace period, has never been away. It's recognised by its subject (without one, by its
 * address), its matchers, and by resuming; which lease it gets is not for it to choose.
 */
export class Presence {
  private readonly logger = new Logger(Presence.name);
  private readonly leases = new Map<string, Lease>();
  /** Those without a connection, by their key. */
  private readonly away = new Map<string, Lease[]>();
  private serial = 0;
  private waiting: ActiveSubscription[] = [];
  private telling: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    private readonly journal: Journal,
    private readonly options: PresenceOptions,
  ) {}

  /** Somebody has subscribed, or is back. */
  enter(interest: Interest, grants: Grants, { address, isResuming }: { address: string; isResuming: boolean }): Lease {
    const key = keyOf(interest, grants, address);
    const former = isResuming ? this.takeAway(key) : undefined;
    if (former) return former;
    this.serial += 1;
    const subscriber = `urn:uuid:${randomUUID()}`;
    const lease = { serial: this.serial, subscriber, interest, grants, key, grace: undefined };
    this.leases.set(subscriber, lease);
    this.tell(lease, true);
    return lease;
  }

  /** The connection is over. Unless somebody takes its place in time, the subscription is. */
  leave(lease: Lease): void {
    if (this.isClosed || this.options.grace === 0) {
      this.end(lease);
      return;
    }
    const others = this.away.get(lease.key);
    if (others) others.push(lease);
    else this.away.set(lease.key, [lease]);
    lease.grace = setTimeout(() => {
      this.forget(lease);
      this.end(lease);
    }, this.options.grace).unref();
  }

  /** All active subscriptions that come after the lease with the number `after`, oldest first. */
  *list(after = 0): Iterable<ActiveSubscription & { readonly serial: number }> {
    for (const lease of this.leases.values()) {
      if (lease.serial <= after) continue;
      for (const subscription of subscriptionsOf(lease, true)) yield { ...subscription, serial: lease.serial };
    }
  }

  /** The active subscriptions of one subscriber. */
  of(subscriber: string): readonly ActiveSubscription[] {
    const lease = this.leases.get(subscriber);
    return lease ? subscriptionsOf(lease, true) : [];
  }

  /** Ends every subscription: who resumes at another process, or at this one's successor, is a new subscriber there. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const lease of this.leases.values()) {
      clearTimeout(lease.grace);
      this.tell(lease, false);
    }
    this.leases.clear();
    this.away.clear();
    await this.telling;
  }

  private takeAway(key: string): Lease | undefined {
    const lease = this.away.get(key)?.at(-1);
    if (!lease) return undefined;
    this.forget(lease);
    clearTimeout(lease.grace);
    lease.grace = undefined;
    return lease;
  }

  private forget(lease: Lease): void {
    const others = this.away.get(lease.key)?.filter((other) => other !== lease) ?? [];
    if (others.length > 0) this.away.set(lease.key, others);
    else this.away.delete(lease.key);
  }

  private end(lease: Lease): void {
    if (this.leases.delete(lease.subscriber)) this.tell(lease, false);
  }

  /** In order, and as often as it takes. */
  private tell(lease: Lease, isActive: boolean): void {
    this.waiting.push(...subscriptionsOf(lease, isActive));
    if (this.waiting.length > MAX_WAITING) {
      this.logger.error('the journal has been away for too long: who came and went meanwhile will not be told');
      this.waiting = [];
    }
    this.telling ??= this.tellAll();
  }

  private async tellAll(): Promise<void> {
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      // One after the other, so that nobody is told gone before come.
      // oxlint-disable-next-line no-await-in-loop -- see above
      for (const update of this.updatesOf(next)) await this.append(update);
    }
    // In the turn in which nothing was left: what comes from here on begins anew.
    this.telling = undefined;
  }

  private async append(update: { topic: string; document: object; type?: string }): Promise<void> {
    const { topic, document, type } = update;
    try {
      await this.journal.append({
        topics: [topic],
        data: JSON.stringify(document),
        id: `urn:uuid:${randomUUID()}`,
        private: true,
        ...(type !== undefined && { type }),
      });
    } catch (error) {
      if (!(error instanceof JournalUnavailableError)) throw error;
      if (this.isClosed) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
      await this.append(update);
    }
  }

  /** A URI Template has no place in the current dialect, nor a URL Pattern in the 0.x one. */
  private *updatesOf(subscription: ActiveSubscription): Iterable<{ topic: string; document: object; type?: string }> {
    const { pathname } = this.options.hubUrl;
    const { type } = subscription.matcher;
    if (type !== 'uritemplate') {
      const topic = subscriptionTopic(pathname, subscription);
      yield { topic, document: subscriptionDocument(pathname, subscription), type: 'mercure' };
    }
    if (this.options.legacy && type !== 'urlpattern') {
      const topic = legacySubscriptionTopic(pathname, subscription);
      yield { topic, document: legacySubscriptionDocument(pathname, subscription) };
    }
  }
}

function subscriptionsOf({ interest, subscriber, grants }: Lease, isActive: boolean): ActiveSubscription[] {
  return interest.matchers.map((matcher) => ({
    matcher,
    subscriber,
    isActive,
    payload: grants.payloadFor?.(matcher.pattern),
  }));
}

/**
 * A subject is somebody only together with who vouches for it, and whoever tells others something else of itself (R63)
 * is somebody else. Hashed, because a hundred matchers with their payloads are no name for anything.
 */
function keyOf(interest: Interest, grants: Grants, address: StreamInfo['address']): string {
  const { issuer = '', subject } = grants;
  const who = subject === undefined ? { address } : { issuer, subject };
  const what = interest.matchers.map((matcher) => [matcherKey(matcher), grants.payloadFor?.(matcher.pattern)]);
  const text = JSON.stringify([who, what.map((one) => JSON.stringify(one)).toSorted()]);
  return createHash('sha256').update(text).digest('base64');
}
