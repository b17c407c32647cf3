import { Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { HubError } from '../../access/hub.errors.js';
import { readAtMost } from '../../shared/http/read-at-most.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { memoryOf, type Verdict, verdictOf } from './application-answer.js';

/** Milliseconds that the application may take for an answer. */
const TIMEOUT = 2_000;

/** Questions that are under way at once. */
const AT_ONCE = 64;

/** Questions that may wait behind them. */
const WAITING = 10_000;

/** Bytes of an answer. */
const LONGEST_ANSWER = 64 * 1024;

/** What the application is asked: whether, and for what, it knows who sent this request. */
export interface Question {
  /** The credentials of the request, exactly as it brought them. */
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  readonly action: 'subscribe' | 'publish';
  /** The origin of the page that sends the request, if it says so. */
  readonly origin: string | undefined;
  /** The client's address, as far as proxies are trusted to tell it. */
  readonly address: string;
  /** The request's id in the log, and the trace that it belongs to: the application's own log may name them. */
  readonly requestId: string;
  readonly traceparent: string | undefined;
}

export interface Answer {
  readonly verdict: Verdict;
  /** Milliseconds for which the answer may be remembered. */
  readonly memory: number;
}

/**
 * The application behind `HERALD_AUTHORIZE_URL`, which knows from a session who may read and publish what. It is asked by
 * `POST` with the request's own `Cookie` and `Authorization`; a number of questions is under way at once, and the others
 * wait.
 */
export class Application {
  private readonly logger = new Logger(Application.name);
  private readonly trouble = new RecurringTrouble(this.logger, 'asking the application who may do what');
  private readonly slots = pLimit(AT_ONCE);

  constructor(private readonly url: URL) {}

  /** @throws {HubError} `authorization-unavailable` where there is no usable answer in time */
  ask(question: Question): Promise<Answer> {
    if (this.slots.pendingCount >= WAITING) return Promise.reject(unavailable());
    return this.slots(() => this.askNow(question));
  }

  private async askNow(question: Question): Promise<Answer> {
    try {
      const answer = await this.exchange(question);
      this.trouble.isOver();
      return answer;
    } catch (error) {
      throw this.isMistaken(error);
    }
  }

  /** Logs why an answer can't be used, and gives what to refuse the request with. */
  isMistaken(reason: unknown): HubError {
    this.trouble.has(reason);
    return unavailable();
  }

  private async exchange(question: Question): Promise<Answer> {
    const { cookie, authorization, action, origin, address, requestId, traceparent } = question;
    const askedAt = Date.now();
    const response = await fetch(this.url, {
      method: 'POST',
      // Followed, it would take the credentials elsewhere; an application that sends people to a login page means 401.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-request-id': requestId,
        ...(traceparent !== undefined && { traceparent }),
        ...(cookie !== undefined && { cookie }),
        ...(authorization !== undefined && { authorization }),
      },
      body: JSON.stringify({ action, origin: origin ?? null, address }),
    });
    const body = await readAtMost(response, LONGEST_ANSWER);
    const memory = memoryOf(response.headers.get('cache-control'));
    return { verdict: verdictOf(response.status, body, askedAt), memory };
  }
}

function unavailable(): HubError {
  return new HubError(
    'authorization-unavailable',
    'The application that knows who may do what does not answer at the moment: try again later.',
  );
}
