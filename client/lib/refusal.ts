import { claimsOf } from './claims.js';
import type { HeraldErrorCode, Problem } from './errors.js';
import { codeOf, retryAfterOf } from './fetch-stream.js';
import type { Attempt, StreamEnd } from './stream.js';
import type { Room } from './wire.js';

/** What an answer says of its refusal. */
export interface Refusal extends Problem {
  /** What it is for, unless for the request as such: one of the matchers, or all of them together. */
  readonly blames?: 'one' | 'all' | undefined;
  /** How much of a kind the hub takes on one stream, with the code `matchers-too-many`. */
  readonly limit?: Room | undefined;
}

/** The hub's codes that say that there are too many matchers for one request. */
const TOO_MUCH = new Set(['matchers-too-many', 'matchers-too-costly', 'parameters-too-many', 'head-too-large']);

/** The most bytes of a refusal that are read: Herald's have some hundred. */
const LONGEST = 16_384;

/** What something in front of the hub answers that does not know the method `QUERY`. */
const UNKNOWN_METHOD = new Set([400, 403, 405, 501]);

/** What has happened, for people, by code. */
const REASONS: Partial<Record<HeraldErrorCode, string>> = {
  busy: 'The hub is busy.',
  'not-a-stream': 'Something else than the hub has answered: look at its URL, and at what is in front of it.',
  'token-failed': 'The fresh token was over before the hub had it.',
  unauthorized: 'The hub has refused the token.',
  refused: 'The hub has refused the stream.',
  stopped: 'The hub has nothing more to send.',
};

/** Errors after which it is of no use to reconnect, if it is the hub that has refused. */
const FINAL = new Set<HeraldErrorCode>(['unauthorized', 'refused', 'stopped']);

/** What it means that a stream was asked for and something else is answered. Never throws. */
export async function endOf(response: Response, attempt: Attempt): Promise<StreamEnd> {
  const { status, headers } = response;
  const problem = await problemOf(response);
  const isOfHub = problem?.code !== undefined;
  const code = codeFor(status, isOfHub, attempt);
  const answer = [status, problem?.code].filter(Boolean).join(' ');
  return {
    code,
    message: [REASONS[code], `(${answer})`, problem?.detail].filter(Boolean).join(' '),
    status,
    problem,
    retryAfter: retryAfterOf(headers),
    isCurable: attempt.isQuery && !isOfHub && UNKNOWN_METHOD.has(status),
    isFinal: FINAL.has(code) && (isOfHub || code === 'stopped'),
  };
}

function codeFor(status: number, isOfHub: boolean, attempt: Attempt): HeraldErrorCode {
  const code = codeOf(status);
  if (isOfHub && code === 'not-a-stream') return 'refused';
  // A fresh token was refused only because it was over before the hub had it: the next one may be in time.
  const isLate = code === 'unauthorized' && attempt.reason === code && hasRunOut(attempt);
  return isLate ? 'token-failed' : code;
}

/** Whether a token that was good when it was sent says that it is over now. */
function hasRunOut({ token = '', askedAt }: Attempt): boolean {
  const end = Number(claimsOf(token)?.['exp']) * 1_000;
  return end > askedAt && end <= Date.now();
}

/** Reads why a request was refused (RFC 9457); undefined where the answer is not a hub's. Never throws. */
export async function problemOf({ headers, body }: Response): Promise<Refusal | undefined> {
  try {
    if (!/^application\/(?:problem\+)?json\b/i.test(headers.get('content-type') ?? '')) {
      await body?.cancel();
      return undefined;
    }
    const { code, detail, limit } = JSON.parse(await textOf(body)) as Refusal;
    return {
      ...(typeof code === 'string' && { code, blames: blamedBy(code) }),
      ...(typeof detail === 'string' && { detail }),
      ...(typeof limit?.count === 'number' && typeof limit.bytes === 'number' && { limit }),
    };
  } catch {
    return undefined;
  }
}

function blamedBy(code: string): Refusal['blames'] {
  if (TOO_MUCH.has(code)) return 'all';
  return code.startsWith('matcher') ? 'one' : undefined;
}

async function textOf(body: Response['body']): Promise<string> {
  if (!body) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes: Uint8Array | undefined;
  // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
  while (text.length <= LONGEST && (bytes = (await reader.read()).value))
    text += decoder.decode(bytes, { stream: true });
  void reader.cancel();
  return text;
}
