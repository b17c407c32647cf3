import { Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { areOwn, type Grants, ownGrants } from './grants.js';

/** Milliseconds between two log lines about the same method: it may fail with every update. */
const QUIET = 60_000;

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

/** Stands in for grants that can't be used. */
const NOTHING = ownGrants({ canPublish: () => false, canRead: () => false, readKey: 'nothing' });

/** What may fail. */
type Part = 'canPublish' | 'canRead' | 'payloadFor' | 'grants';

/** When a part was last complained about, and how often it has failed since. */
interface Failures {
  loggedAt: number;
  unlogged: number;
}

/**
 * The one place where the grants that an application has made are called. What they throw, and any answer of a wrong type
 * (such as a promise), is logged and denies: it never ends the process, and never grants anything.
 */
@Injectable()
export class GuardedGrants {
  private readonly logger = new Logger(GuardedGrants.name);
  private readonly failures = new Map<Part, Failures>();

  /** The same grants, safe to be asked. Whatever else the application keeps with them stays there. */
  of(given: Grants): Grants {
    // Those of tokens, each of which is asked for with every publication.
    if (areOwn(given)) return given;
    try {
      return ownGrants(this.wrap(given));
    } catch (error) {
      this.report('grants', error instanceof z.ZodError ? z.prettifyError(error) : error);
      return NOTHING;
    }
  }

  private wrap(given: Grants): Grants {
    // Once, because any of these may be a getter.
    const fields = SHAPE.parse(given) as Grants;
    return {
      ...given,
      ...fields,
      // The hub's own keys are others: nobody gets an application's stream by the name of one of those.
      readKey: `application ${fields.readKey}`,
      canPublish: (topics) => this.allows('canPublish', given, topics),
      canRead: (topics) => this.allows('canRead', given, topics),
      payloadFor: (matcher) => this.payloadOf(given, matcher),
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
        // It is told to others as JSON, and throws here rather than there.
        JSON.stringify(answer);
        return answer;
      }
      this.refuse('payloadFor', answer);
    } catch (error) {
      this.report('payloadFor', error);
    }
    return undefined;
  }

  /** An answer of a wrong type. Nobody else would notice that a promise among them is rejected, and that ends processes. */
  private refuse(part: Part, answer: unknown): void {
    if (isThenable(answer)) void Promise.resolve(answer).catch(() => undefined);
    this.report(part, isThenable(answer) ? 'It answered with a promise.' : `It answered with a ${typeof answer}.`);
  }

  private report(part: Part, error: unknown): void {
    const now = performance.now();
    const { loggedAt, unlogged } = this.failures.get(part) ?? { loggedAt: -QUIET, unlogged: 0 };
    if (now - loggedAt < QUIET) {
      this.failures.set(part, { loggedAt, unlogged: unlogged + 1 });
      return;
    }
    this.failures.set(part, { loggedAt: now, unlogged: 0 });
    this.logger.error({
      msg: "the application's grants have failed, which denies",
      part,
      reason: textOf(error),
      unlogged,
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Without the properties of the error, which may hold requests and with them tokens. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : error;
  return typeof text === 'string' ? text.slice(0, MAX_REASON) : 'Something was thrown that is no error.';
}
