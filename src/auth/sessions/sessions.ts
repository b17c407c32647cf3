import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Grants } from '../../access/grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Background } from '../../shared/background.js';
import { believedNow } from '../../shared/time/steady-clock.js';
import { grantsInSteps } from '../tokens/token-grants.js';
import type { Application, Question } from './application.js';
import { ApplicationAnswerError, type Verdict } from './application-answer.js';

/** Answers that are remembered, and bytes of what they grant. */
const REMEMBERED = { max: 10_000, maxSize: 32 * 1024 ** 2 };

/** About how many bytes an answer takes besides what it grants. */
const SIZE = 1_024;

/** What an answer of the application comes to: grants, none for nobody in particular, or a refusal. */
export interface Outcome {
  readonly grants?: Grants;
  readonly refusal?: HubError;
}

/**
 * What the application has answered. An answer holds for all requests with the same credentials for as long as its
 * `max-age` says, at most a minute, and those that come while one of them is asked about share its answer.
 */
export class Sessions {
  private readonly background = new Background();
  /** By the digest of credentials, because a cookie is as good as a password. */
  private readonly remembered = new LRUCache<string, Outcome>({
    ...REMEMBERED,
    sizeCalculation: ({ grants }) => SIZE + (grants?.weight ?? 0),
  });
  /** Questions that are not answered yet. */
  private readonly asked = new Map<string, Promise<Outcome>>();

  constructor(
    private readonly application: Pick<Application, 'ask' | 'isMistaken'>,
    private readonly hubUrl: URL,
  ) {}

  /**
   * @param isGood whether grants that are remembered still count; the application is asked again where they do not.
   * @throws {HubError} `authorization-unavailable`
   */
  outcomeOf(question: Question, isGood: (grants: Grants) => boolean): Outcome | Promise<Outcome> {
    const digest = digestOf(question);
    const known = this.remembered.get(digest);
    if (known && (!known.grants || isGood(known.grants))) return known;
    const asked = this.asked.get(digest) ?? this.ask(digest, question);
    this.asked.set(digest, asked);
    return asked;
  }

  private async ask(digest: string, question: Question): Promise<Outcome> {
    try {
      const { verdict, memory } = await this.application.ask(question);
      const outcome = await this.outcomeFrom(verdict);
      if (memory > 0) this.remembered.set(digest, outcome, { ttl: memory });
      return outcome;
    } finally {
      this.asked.delete(digest);
    }
  }

  private async outcomeFrom(verdict: Verdict): Promise<Outcome> {
    if (verdict.kind === 'anonymous') return {};
    if (verdict.kind === 'refused') return { refusal: verdict.refusal };
    try {
      const grants = await this.background.run(grantsInSteps(verdict.claims, this.hubUrl));
      const isOver = (grants.expiresAt ?? Infinity) <= believedNow();
      return isOver ? { refusal: new HubError('session-invalid', 'The session is over: log in again.') } : { grants };
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      throw this.application.isMistaken(new ApplicationAnswerError('its matchers are malformed or more than 100'));
    }
  }
}

function digestOf({ cookie, authorization }: Question): string {
  return createHash('sha256')
    .update(JSON.stringify([cookie ?? null, authorization ?? null]))
    .digest('base64');
}
