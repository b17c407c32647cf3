import { Logger } from '@nestjs/common';
import { type Journal, JournalUnavailableError } from '../../storage/journal/journal.js';
import { Queue } from '../../shared/queue.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type Arrival, type Departure, type Lease, SharedState } from '../../storage/state/shared-state.js';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import { matcherKey } from '../matching/matcher.js';
import type { ActiveSubscription } from '../protocol/dialect.js';
import { AnonymousBudget } from './anonymous-budget.js';
import { describeStream, matchersIn } from './lease-details.js';
import type { PresenceEvents } from './presence-events.js';
import { type ListedSubscription, type ListOptions, listSubscriptions } from './subscription-list.js';

export interface PresenceOptions {
  /** The grace period: milliseconds for which a subscriber may be disconnected before the subscription is over. */
  readonly grace: number;
  /** Makes the records of comings and goings. */
  readonly events: PresenceEvents;
  /** Whether readers without a token are told of, as far as the budget of their network goes. Default: yes. */
  readonly tellsAnonymous?: boolean;
}

/** Milliseconds between two attempts while the journal or the state is away. */
const RETRY = 1_000;

/** Milliseconds between two signs of life to the state, which answers each with the leases that are over. */
const PULSE = 1_000;

/** Limits of one batch: changes, and characters of their details. In between, the state and the journal serve others. */
const BATCH_CHANGES = 64;
const BATCH_SIZE = 128 * 1024;

/** What a matcher counts for besides its characters, because the state has an index of them. */
const PER_MATCHER = 128;

/** Changes that may wait, and their size. Beyond this, new ones are dropped, and everybody who is connected is told anew. */
const MAX_WAITING = 100_000;
const MAX_WAITING_SIZE = 32 * 1024 ** 2;

interface Waiting {
  readonly change: Arrival | Departure;
  /** What it counts for while it waits. */
  readonly size: number;
}

interface Connected extends Arrival {
  readonly isAnonymous: boolean;
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
  private readonly connected = new Map<number, Connected>();
  private readonly budget: AnonymousBudget;
  private lastRef = 0;
  private waiting = new Queue<Waiting>();
  private waitingSize = 0;
  /** How many connections the state has been told of. */
  private reported = 0;
  private isPulseDue = true;
  private mustStartOver = false;
  private working: Promise<void> | undefined;
  private readonly closing = new AbortController();
  private readonly pulse: NodeJS.Timeout;
  private readonly events: PresenceEvents;

  constructor(
    private readonly journal: Journal,
    private readonly state: SharedState,
    private readonly options: PresenceOptions,
  ) {
    this.events = options.events;
    this.budget = new AnonymousBudget(options.grace);
    this.pulse = setInterval(() => this.beat(), PULSE).unref();
    this.work();
  }

  /**
   * Somebody has subscribed, or is back. Answers with the number of the connection, for {@link leave}; undefined where
   * nobody is told.
   */
  enter(
    interest: Interest,
    grants: Grants,
    { address, isResuming }: { address: string; isResuming: boolean },
  ): number | undefined {
    const { key, details } = describeStream(interest, grants, address);
    const isAnonymous = isNobody(grants);
    if (isAnonymous && !this.admitsAnonymous(key, { address, isResuming })) return undefined;
    this.lastRef += 1;
    const matchers = interest.matchers.map(matcherKey);
    const arrival: Arrival = { kind: 'enter', ref: this.lastRef, key, details, matchers, isResuming };
    this.connected.set(arrival.ref, { ...arrival, isAnonymous });
    this.add(arrival);
    return arrival.ref;
  }

  /** The connection is over. Its subscription is as well, unless another connection takes the lease up in time. */
  leave(ref: number | undefined): void {
    const arrival = ref === undefined ? undefined : this.connected.get(ref);
    if (!arrival || ref === undefined) return;
    this.connected.delete(ref);
    if (arrival.isAnonymous) this.budget.left(arrival.key);
    this.add({ kind: 'leave', ref });
  }

  /** Active subscriptions, oldest first: all, or those with one of the matchers that are asked for. */
  list(options: ListOptions = {}): AsyncIterable<ListedSubscription> {
    return listSubscriptions(this.state, (lease) => subscriptionsOf(lease, true), options);
  }

  /** The active subscriptions of one subscriber. */
  async of(subscriber: string): Promise<readonly ActiveSubscription[]> {
    const lease = await this.state.find(subscriber);
    return lease ? subscriptionsOf(lease, true) : [];
  }

  /**
   * Releases the leases of everybody who is connected here. They are over where no other process can take them up, be it one
   * that is there or the next one.
   */
  async close(): Promise<void> {
    clearInterval(this.pulse);
    this.closing.abort();
    this.connected.clear();
    await this.working;
    const over = await this.persist(() => this.state.handOver());
    if (over) await this.tell(over, false);
  }

  private admitsAnonymous(key: string, coming: { readonly address: string; readonly isResuming: boolean }): boolean {
    return (this.options.tellsAnonymous ?? true) && this.budget.admits(key, coming);
  }

  private add(change: Arrival | Departure): void {
    if (this.closing.signal.aborted) return;
    if (this.waiting.length < MAX_WAITING && this.waitingSize < MAX_WAITING_SIZE) {
      const size = sizeOf(change);
      this.waiting.push({ change, size });
      this.waitingSize += size;
    } else this.mustStartOver = true;
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
        await nextTurn(this.closing.signal);
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
    for (let left = BATCH_SIZE; batch.length < BATCH_CHANGES && left > 0;) {
      const next = this.waiting.shift();
      if (!next) break;
      batch.push(next.change);
      left -= sizeOf(next.change);
      this.waitingSize -= next.size;
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
    // There may be more.
    this.isPulseDue = true;
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
    this.waiting = new Queue<Waiting>();
    this.waitingSize = 0;
    for (const { isAnonymous: _, ...arrival } of this.connected.values()) {
      // What is connected holds these details anyway.
      this.waiting.push({ change: { ...arrival, isResuming: true }, size: 0 });
    }
  }

  private async tell(leases: readonly Lease[], isActive: boolean): Promise<void> {
    for (let at = 0; at < leases.length;) {
      const batch = firstPart(leases.slice(at, at + BATCH_CHANGES));
      // oxlint-disable-next-line no-await-in-loop -- the journal has other things to do
      await this.persist(() => Promise.all(batch.map((lease) => this.append(lease, isActive))));
      at += batch.length;
      // oxlint-disable-next-line no-await-in-loop -- and so has everybody else
      if (at < leases.length) await nextTurn(this.closing.signal);
    }
  }

  private append({ subscriber, details }: Lease, isActive: boolean): Promise<unknown> {
    const record = this.events.recordOf({ subscriber, isActive, matchers: matchersIn(details) });
    if (!record) return Promise.resolve();
    return this.journal.appendPresence(record, { idempotencyKey: `subscriptions\n${isActive}\n${subscriber}` });
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
}

/** Whether nothing is known of a reader: it has shown no token, or none that says whose it is. */
function isNobody({ subject, issuer, tokenId, isLegacy = false }: Grants): boolean {
  return !isLegacy && subject === undefined && issuer === undefined && tokenId === undefined;
}

function subscriptionsOf({ details, subscriber }: Lease, isActive: boolean): ActiveSubscription[] {
  return matchersIn(details).map(({ matcher, payload }) => ({ matcher, subscriber, isActive, payload }));
}

/** What a change counts for: its details, and its places in the state's index. */
function sizeOf(change: Arrival | Departure): number {
  return change.kind === 'enter' ? change.details.length + PER_MATCHER * change.matchers.length : 0;
}

/** The first of the leases, at least one, up to the size of a batch. */
function firstPart(leases: readonly Lease[]): readonly Lease[] {
  let size = 0;
  const end = leases.findIndex(({ details }) => (size += details.length) > BATCH_SIZE);
  return end === -1 ? leases : leases.slice(0, Math.max(1, end));
}

/** Waits for {@link RETRY} milliseconds, or until `signal` aborts. */
function rest(signal: AbortSignal): Promise<void> {
  return until(signal, (done) => {
    const timer = setTimeout(done, RETRY).unref();
    return () => clearTimeout(timer);
  });
}

/** Lets everything else have its turn, which an engine in memory would not do, or waits until `signal` aborts. */
function nextTurn(signal: AbortSignal): Promise<void> {
  return until(signal, (done) => {
    const turn = setImmediate(done);
    return () => clearImmediate(turn);
  });
}

/** Resolves once `begin` calls back, or `signal` aborts. */
function until(signal: AbortSignal, begin: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = begin(done);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
