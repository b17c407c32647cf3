import { createHash, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Journal, JournalUnavailableError } from '../../storage/journal/journal.js';
import type { StreamInfo } from '../../streams/registry/stream-info.js';
import { Queue } from '../../shared/queue.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type Arrival, type Departure, type Lease, SharedState } from '../../storage/state/shared-state.js';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import { type Matcher, matcherKey } from '../matching/matcher.js';
import type { ActiveSubscription, Dialect } from '../protocol/dialect.js';

export interface PresenceOptions {
  /** The grace period: milliseconds for which a subscriber may be disconnected before the subscription is over. */
  readonly grace: number;
  readonly hubUrl: URL;
  /** The dialects in which subscriptions are told of. */
  readonly dialects: readonly Dialect[];
}

/** Milliseconds between two attempts while the journal or the state is away. */
const RETRY = 1_000;

/** Milliseconds between two signs of life to the state, which answers each with the leases that are over. */
const PULSE = 1_000;

/** Limits of one batch: changes, characters of their details, updates. In between, the state serves others. */
const BATCH_CHANGES = 64;
const BATCH_SIZE = 512 * 1024;
const BATCH_NEWS = 512;

/** Changes that may wait. Beyond this, new ones are dropped, and everybody who is connected is told anew. */
const MAX_WAITING = 100_000;

/** The details of a lease, as the state keeps them. */
interface LeaseDetails {
  readonly matchers: readonly { readonly matcher: Matcher; readonly payload?: object | undefined }[];
}

/** An update about a subscription. */
interface News {
  readonly topic: string;
  readonly document: object;
  readonly type: string | undefined;
}

/**
 * Who is subscribed (R72–R76), at any process of the hub. A subscription is a lease and not a socket: a client whose
 * connection is rotated, or breaks and is resumed within the grace period, at whichever process, has never been away. A
 * client that resumes is recognised by its subject (without one, by its address) and its matchers; which lease it gets
 * is not for it to choose.
 *
 * Steps run one at a time, each as often as it takes, so that nobody is told gone before come. Each coming and going
 * has an idempotency key, so that it is told once even when a process dies between telling it and noting that.
 */
export class Presence {
  private readonly logger = new Logger(Presence.name);
  private readonly trouble = new RecurringTrouble(this.logger, 'announcing subscriptions');
  /** The connections to this process, by their numbers. */
  private readonly connected = new Map<number, Arrival>();
  private lastRef = 0;
  private waiting = new Queue<Arrival | Departure>();
  /** How many connections the state has been told of. */
  private reported = 0;
  private isPulseDue = true;
  private mustStartOver = false;
  private working: Promise<void> | undefined;
  private readonly closing = new AbortController();
  private readonly pulse: NodeJS.Timeout;

  constructor(
    private readonly journal: Journal,
    private readonly state: SharedState,
    private readonly options: PresenceOptions,
  ) {
    this.pulse = setInterval(() => this.beat(), PULSE).unref();
    this.work();
  }

  /** Somebody has subscribed, or is back. Answers with the number of the connection, for {@link leave}. */
  enter(interest: Interest, grants: Grants, { address, isResuming }: { address: string; isResuming: boolean }): number {
    this.lastRef += 1;
    const details = JSON.stringify(detailsOf(interest, grants));
    const key = keyOf(interest, grants, address);
    const arrival: Arrival = { kind: 'enter', ref: this.lastRef, key, details, isResuming };
    this.connected.set(arrival.ref, arrival);
    this.add(arrival);
    return arrival.ref;
  }

  /** The connection is over. Its subscription is as well, unless another connection takes the lease up in time. */
  leave(ref: number): void {
    if (!this.connected.delete(ref)) return;
    this.add({ kind: 'leave', ref });
  }

  /** All active subscriptions that come after the lease with the number `after`, oldest first. */
  async *list(after = 0): AsyncIterable<ActiveSubscription & { readonly serial: number }> {
    for await (const lease of this.state.list(after)) {
      for (const subscription of subscriptionsOf(lease, true)) yield { ...subscription, serial: lease.serial };
    }
  }

  /** The active subscriptions of one subscriber. */
  async of(subscriber: string): Promise<readonly ActiveSubscription[]> {
    const lease = await this.state.find(subscriber);
    return lease ? subscriptionsOf(lease, true) : [];
  }

  /** Releases the leases of everybody who is connected here. Without another process to take them up, they are over. */
  async close(): Promise<void> {
    clearInterval(this.pulse);
    this.closing.abort();
    this.connected.clear();
    await this.working;
    const over = await this.persist(() => this.state.release());
    if (over) await this.tell(over, false);
  }

  private add(change: Arrival | Departure): void {
    if (this.closing.signal.aborted) return;
    if (this.waiting.length < MAX_WAITING) this.waiting.push(change);
    else this.mustStartOver = true;
    this.work();
  }

  private beat(): void {
    this.isPulseDue = true;
    this.work();
  }

  private work(): void {
    this.working ??= this.workOff();
  }

  private async workOff(): Promise<void> {
    try {
      while (!this.closing.signal.aborted) {
        // oxlint-disable no-await-in-loop -- one thing at a time
        if (this.mustStartOver) await this.startOver();
        else if (this.isPulseDue) await this.renew();
        else if (this.waiting.length > 0) await this.apply();
        else {
          this.trouble.isOver();
          break;
        }
        // oxlint-enable no-await-in-loop
      }
    } catch (error) {
      // The step may be half-done, and may fail again at once: everything begins anew, after a rest.
      this.trouble.has(error);
      this.mustStartOver = true;
      await rest(this.closing.signal);
    }
    // In the same turn in which nothing was left to do, so that any later change calls this method again.
    this.working = undefined;
  }

  private async apply(): Promise<void> {
    const changes = this.takeBatch();
    const entered = await this.persist(() => this.state.change(changes));
    if (!entered) {
      this.mustStartOver = true;
      return;
    }
    for (const { kind } of changes) this.reported += kind === 'enter' ? 1 : -1;
    if (this.options.grace < PULSE && changes.length > entered.length) this.isPulseDue = true;
    const come = entered.filter(({ isNew }) => isNew).map(({ lease }) => lease);
    await this.tell(come, true);
  }

  private takeBatch(): (Arrival | Departure)[] {
    const batch: (Arrival | Departure)[] = [];
    for (let size = 0; batch.length < BATCH_CHANGES && size < BATCH_SIZE;) {
      const change = this.waiting.shift();
      if (!change) break;
      batch.push(change);
      if (change.kind === 'enter') size += change.details.length;
    }
    return batch;
  }

  private async renew(): Promise<void> {
    this.isPulseDue = false;
    const over = await this.persist(() => this.state.renew(this.reported));
    if (!over) {
      this.mustStartOver = true;
      return;
    }
    if (over.length === 0) return;
    await this.tell(over, false);
    await this.persist(() => this.state.forget(over.map(({ subscriber }) => subscriber)));
    // A full answer means that there may be more.
    this.isPulseDue ||= over.length === SharedState.LARGEST_END;
  }

  /** The state has taken this process for dead, or has lost something: all who are here take up their leases again. */
  private async startOver(): Promise<void> {
    if (!this.trouble.isOngoing) {
      this.logger.warn({
        msg: 'all subscriptions of this process are announced again',
        connections: this.connected.size,
      });
    }
    const over = await this.persist(() => this.state.release());
    if (over) await this.tell(over, false);
    this.reported = 0;
    this.mustStartOver = false;
    this.isPulseDue = true;
    this.waiting = new Queue<Arrival | Departure>();
    for (const arrival of this.connected.values()) this.waiting.push({ ...arrival, isResuming: true });
  }

  private async tell(leases: readonly Lease[], isActive: boolean): Promise<void> {
    const subscriptions = leases.flatMap((lease) => subscriptionsOf(lease, isActive));
    const news = subscriptions.flatMap((subscription) => this.newsOf(subscription));
    for (let at = 0; at < news.length; at += BATCH_NEWS) {
      const batch = news.slice(at, at + BATCH_NEWS);
      // oxlint-disable-next-line no-await-in-loop -- the journal has other things to do
      await this.persist(() => Promise.all(batch.map((one) => this.append(one, isActive))));
    }
  }

  private append({ topic, document, type }: News, isActive: boolean): Promise<unknown> {
    const update = {
      topics: [topic],
      data: JSON.stringify(document),
      id: `urn:uuid:${randomUUID()}`,
      private: true,
      ...(type !== undefined && { type }),
    };
    return this.journal.append(update, { idempotencyKey: `subscriptions\n${isActive}\n${topic}` });
  }

  /** Tries as often as it takes; while closing, once. Undefined when that failed, or when `act` gives nothing. */
  private async persist<T>(act: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        return await act();
      } catch (error) {
        if (!(error instanceof JournalUnavailableError)) throw error;
        if (this.closing.signal.aborted) return undefined;
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        await rest(this.closing.signal);
      }
    }
  }

  /** The updates about a subscription: one in each dialect that can describe it. */
  private newsOf(subscription: ActiveSubscription): News[] {
    const { dialects, hubUrl } = this.options;
    return dialects
      .filter(({ subscriptions }) => subscriptions.covers(subscription.matcher.type))
      .map(({ subscriptions }) => ({
        topic: subscriptions.topicOf(hubUrl.pathname, subscription),
        document: subscriptions.documentOf(hubUrl.pathname, subscription),
        type: subscriptions.eventType,
      }));
  }
}

function detailsOf(interest: Interest, grants: Grants): LeaseDetails {
  return {
    matchers: interest.matchers.map((matcher) => ({ matcher, payload: grants.payloadFor?.(matcher.pattern) })),
  };
}

function subscriptionsOf({ details, subscriber }: Lease, isActive: boolean): ActiveSubscription[] {
  const { matchers } = JSON.parse(details) as LeaseDetails;
  return matchers.map(({ matcher, payload }) => ({ matcher, subscriber, isActive, payload }));
}

/** Waits for {@link RETRY} milliseconds, or until `signal` aborts. */
function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, RETRY).unref();
    signal.addEventListener('abort', done);
  });
}

/**
 * The key by which a client that resumes is recognised. It has the issuer, because a subject is somebody only together
 * with its issuer, and the payloads (R63), because a subscriber with another payload is another one. It is hashed,
 * because a hundred matchers with their payloads would be too long.
 */
function keyOf(interest: Interest, grants: Grants, address: StreamInfo['address']): string {
  const { issuer = '', subject } = grants;
  const who = subject === undefined ? { address } : { issuer, subject };
  const what = interest.matchers.map((matcher) => [matcherKey(matcher), grants.payloadFor?.(matcher.pattern)]);
  const text = JSON.stringify([who, what.map((one) => JSON.stringify(one)).toSorted()]);
  return createHash('sha256').update(text).digest('base64');
}
