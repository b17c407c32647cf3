import { performance } from 'node:perf_hooks';
import { Logger } from '@nestjs/common';
import { type Grants, UNLIMITED } from '../../access/grants.js';
import type { GuardedGrants } from '../../access/guarded-grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Durations } from '../../shared/measures/durations.js';
import { Tally } from '../../shared/measures/tally.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type Appended, type Journal, JournalUnavailableError } from '../../storage/journal/journal.js';
import type { PublishQuota } from '../limits/publish-quota.js';
import { CheckedTopics } from '../update/checked-topics.js';
import { checkUpdate, type CheckUpdateOptions, type UpdateDraft } from '../update/check-update.js';
import { draftOf, type PublishDraft } from '../update/publish-draft.js';
import type { TraceContext } from '../../shared/trace/trace-context.js';
import type { Tracer } from '../../shared/trace/tracer.js';
import { PublicationKey } from './publication-key.js';
import { PublicationTrace } from './publication-trace.js';

export interface PublishOptions {
  /** What the publisher may do. Default: everything, for callers in the same process. */
  readonly grants?: Grants;
  /** The same key again, while the first update with it is held, stores nothing and gives that update's id. */
  readonly idempotencyKey?: string | undefined;
  /** Where it belongs in a distributed trace, unless the draft says so. Default: nowhere. */
  readonly trace?: TraceContext | undefined;
}

export interface PublicationsContext {
  readonly quota: PublishQuota;
  readonly hubUrl: URL;
  /** Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

/** What can become of a publication. */
export const OUTCOMES = ['stored', 'repeated', 'refused', 'unavailable', 'failed'] as const;

type Outcome = (typeof OUTCOMES)[number];

/** The way of an update into the journal: checked, granted, within its publisher's rate, and stored. */
export class Publications {
  readonly outcomes = new Tally<Outcome>();
  /** From the call until the journal has the update, for those that were stored. */
  readonly toStored = new Durations();

  private readonly storing = new RecurringTrouble(new Logger('Publications'), 'storing updates', {
    level: 'warn',
    failed: (reason) => `updates are refused: ${reason}`,
    over: 'updates are stored again',
  });

  private readonly checking: CheckUpdateOptions;

  constructor(
    private readonly journal: Journal,
    private readonly guarded: GuardedGrants,
    private readonly context: PublicationsContext,
  ) {
    this.checking = { topics: new CheckedTopics(context.hubUrl) };
  }

  /** See `HubService.publish`. */
  add(draft: PublishDraft, options: PublishOptions): Promise<string> {
    try {
      return Promise.resolve(this.addAtOnce(draft, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * See `HubService.publishAtOnce`. It is no async function, because what such a function keeps outlives garbage collections,
   * and a line of a batch has four promises less where the journal needs none.
   */
  addAtOnce(draft: PublishDraft, options: PublishOptions): string | Promise<string> {
    const begun = performance.now();
    const trace = PublicationTrace.of(this.context.tracer, draft, options.trace);
    const appended = this.attempt(draft, options, trace);
    // By what it has, because a journal's promise may be of another class.
    return 'outcome' in appended ? this.done(appended, trace, begun) : this.follow(appended, trace, begun);
  }

  private attempt(draft: PublishDraft, options: PublishOptions, trace: PublicationTrace): Appended | Promise<Appended> {
    try {
      return this.append(draftOf(draft), options, trace);
    } catch (error) {
      throw this.failed(error, trace);
    }
  }

  private follow(appended: Promise<Appended>, trace: PublicationTrace, begun: number): Promise<string> {
    const end = (stored: Appended): string => this.done(stored, trace, begun);
    const fail = (error: unknown): never => {
      throw this.failed(error, trace);
    };
    return appended.then(end, fail);
  }

  private done(appended: Appended, trace: PublicationTrace, begun: number): string {
    if (appended.outcome === 'conflict') {
      const conflict = 'This Idempotency-Key was used before, with another update.';
      throw this.failed(new HubError('idempotency-key-conflict', conflict), trace);
    }
    this.outcomes.add(appended.outcome);
    this.storing.isOver();
    trace.end(appended.outcome);
    if (appended.outcome === 'stored') this.toStored.observe(performance.now() - begun);
    return appended.id;
  }

  /** Tells of the failure, and gives it back. */
  private failed(error: unknown, trace: PublicationTrace): unknown {
    const outcome = outcomeOf(error);
    this.outcomes.add(outcome);
    trace.end(outcome, codeOf(error));
    if (error instanceof JournalUnavailableError) this.storing.has(error);
    return error;
  }

  private append(draft: UpdateDraft, options: PublishOptions, trace: PublicationTrace): Appended | Promise<Appended> {
    const { grants: given = UNLIMITED, idempotencyKey } = options;
    const grants = this.guarded.of(given);
    const checked = checkUpdate(draft, this.checking);
    const { traceparent } = trace;
    const update = traceparent === undefined ? checked : { ...checked, traceparent };
    if (!grants.canPublish(update.topics)) {
      throw new HubError('insufficient-scope', 'The token does not grant publishing to every topic of this update.');
    }
    // Who calls from within the process is the application's own.
    if (grants !== UNLIMITED) this.context.quota.spend(grants, update);
    const key = idempotencyKey === undefined ? undefined : new PublicationKey(idempotencyKey, grants, draft.id, update);
    return trace.append(update, () => this.journal.append(update, key));
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof HubError) return 'refused';
  return error instanceof JournalUnavailableError ? 'unavailable' : 'failed';
}

function codeOf(error: unknown): string {
  return error instanceof HubError || error instanceof JournalUnavailableError ? error.code : 'internal-error';
}
