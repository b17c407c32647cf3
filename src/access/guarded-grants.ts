import { Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { RepeatedLines } from '../shared/log/repeated-lines.js';
import { areOwn, type Grants, ownGrants } from './grants.js';

/** Characters of a failure that are logged. */
const MAX_REASON = 2_000;

/** What an application's grants must look like, whoever has written them. */
const SHAPE = z.object({
  canPublish: z.custom<Grants['canPublish']>((value) => typeof value === 'function', 'must be a function'),
  canRead: z.custom<Grants['canRead']>((value) => typeof value === 'function', 'must be a function'),
  payloadFor: z.custom((value) => value === undefined || typeof value === 'function', 'must be a function').optional(),
  readKey: z.string(),
  subject: z.string().optional(),
  issuer: z.string().optional(),
  tokenId: z.string().optional(),
  issuedAt: z.number().optional(),
  expiresAt: z.number().optional(),
  isAdmin: z.boolean().optional(),
  isLegacy: z.boolean().optional(),
});

/** Denies everything. Used in place of grants that are malformed. */
const NOTHING = ownGrants({ canPublish: () => false, canRead: () => false, readKey: 'nothing' });

/** The part of an application's grants that has failed; `grants` is their shape as a whole. */
type Part = 'canPublish' | 'canRead' | 'payloadFor' | 'grants';

/**
 * The one place where the grants that an application has made are called. What they throw, and any answer of a wrong
 * type (such as a promise), is logged and denies: it never ends the process, and never grants anything.
 */
@Injectable()
export class GuardedGrants {
  private readonly logger = new Logger(GuardedGrants.name);
  /** Each part may fail with every update. */
  private readonly failures = new RepeatedLines((line) => this.logger.error(line));

  /** The same grants, wrapped so that they never throw. Other properties that the application has added are kept. */
  of(given: Grants): Grants {
    // The hub's own grants, and those that are wrapped already, need no guard; each publication comes by here.
    if (areOwn(given)) return given;
    try {
      return ownGrants(this.wrap(given));
    } catch (error) {
      this.report('grants', error instanceof z.ZodError ? z.prettifyError(error) : error);
      return NOTHING;
    }
  }

  private wrap(given: Grants): Grants {
    // The fields are read once, because any of them may be a getter.
    const fields = SHAPE.parse(given) as Grants;
    return {
      ...given,
      ...fields,
      // The prefix keeps these keys apart from the hub's own: with an equal key, a reader would share a cohort of the
      // hub's, and get its private updates.
      readKey: `application ${fields.readKey}`,
      canPublish: (topics) => this.allows('canPublish', given, topics),
      canRead: (topics) => this.allows('canRead', given, topics),
      payloadFor: (matcher) => this.payloadOf(given, matcher),
      readMatchers: undefined,
    };
  }

  private allows(question: 'canPublish' | 'canRead', given: Grants, topics: readonly string[]): boolean {
    try {
      const answer: unknown = given[question](topics);
      if (typeof answer === 'boolean') return answer;
      this.refuse(question, answer);
    } catch (error) {
      this.report(question, error);
    }
    return false;
  }

  private payloadOf(given: Grants, matcher: string): object | undefined {
    try {
      const answer: unknown = given.payloadFor?.(matcher);
      if (answer === undefined) return undefined;
      if (typeof answer === 'object' && answer !== null && !isThenable(answer)) {
        // The payload is published as JSON later: one that can't be serialised must throw here, where that is handled.
        JSON.stringify(answer);
        return answer;
      }
      this.refuse('payloadFor', answer);
    } catch (error) {
      this.report('payloadFor', error);
    }
    return undefined;
  }

  /** Logs an answer of a wrong type. A promise is also kept from rejecting unhandled, which would end the process. */
  private refuse(part: Part, answer: unknown): void {
    if (isThenable(answer)) void Promise.resolve(answer).catch(() => undefined);
    this.report(part, isThenable(answer) ? 'It answered with a promise.' : `It answered with a ${typeof answer}.`);
  }

  private report(part: Part, error: unknown): void {
    const msg = "the application's grants failed: access was denied";
    this.failures.log({ msg, part, reason: textOf(error) }, part);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The text of an error without its other properties, which may hold requests and, with them, tokens. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : error;
  return typeof text === 'string' ? text.slice(0, MAX_REASON) : 'A value that is not an Error was thrown.';
}
