import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type Grants, UNLIMITED } from '../../access/grants.js';
import type { GuardedGrants } from '../../access/guarded-grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Durations } from '../../shared/measures/durations.js';
import { Tally } from '../../shared/measures/tally.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type Appended, type Journal, JournalUnavailableError } from '../../storage/journal/journal.js';
import type { Update } from '../../storage/journal/update.js';
import type { PublishQuota } from '../limits/publish-quota.js';
import { checkUpdate, type UpdateDraft } from '../update/check-update.js';

export interface PublishOptions {
  /** What the publisher may do. Default: everything, for callers in the same process. */
  readonly grants?: Grants;
  /** The same key again, while the first update with it is held, stores nothing and gives that update's id. */
  readonly idempotencyKey?: string | undefined;
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

  constructor(
    private readonly journal: Journal,
    private readonly guarded: GuardedGrants,
    private readonly quota: PublishQuota,
    private readonly hubUrl: URL,
  ) {}

  /** See `HubService.publish`. */
  async add(draft: UpdateDraft, options: PublishOptions): Promise<string> {
    const begun = performance.now();
    try {
      const appended = await this.append(draft, options);
      if (appended.outcome === 'conflict') {
        throw new HubError('idempotency-key-conflict', 'This Idempotency-Key was used before, with another update.');
      }
      this.outcomes.add(appended.outcome);
      this.storing.isOver();
      if (appended.outcome === 'stored') this.toStored.observe(performance.now() - begun);
      return appended.id;
    } catch (error) {
      this.outcomes.add(outcomeOf(error));
      if (error instanceof JournalUnavailableError) this.storing.has(error);
      throw error;
    }
  }

  private append(draft: UpdateDraft, { grants: given = UNLIMITED, idempotencyKey }: PublishOptions): Promise<Appended> {
    const grants = this.guarded.of(given);
    const update = checkUpdate(draft, { hubUrl: this.hubUrl });
    if (!grants.canPublish(update.topics)) {
      throw new HubError('insufficient-scope', 'The token does not grant publishing to every topic of this update.');
    }
    // Who calls from within the process is the application's own.
    if (grants !== UNLIMITED) this.quota.spend(grants, update);
    return this.journal.append(update, keyOptions(idempotencyKey, grants, draft, update));
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof HubError) return 'refused';
  return error instanceof JournalUnavailableError ? 'unavailable' : 'failed';
}

/** An idempotency key is the publisher's own, and the same key must come with the same update. */
function keyOptions(
  idempotencyKey: string | undefined,
  grants: Grants,
  draft: UpdateDraft,
  update: Update,
): { idempotencyKey: string; fingerprint: string } | undefined {
  if (idempotencyKey === undefined) return undefined;
  // `draft.id` rather than `update.id`, because a generated id differs from one attempt to the next.
  const content = JSON.stringify([update.topics, update.data, update.private, update.type, update.retry, draft.id]);
  return {
    idempotencyKey: `${grants.issuer ?? ''}\n${grants.subject ?? ''}\n${idempotencyKey}`,
    fingerprint: hash('sha256', content, 'base64'),
  };
}
