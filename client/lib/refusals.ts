import { HeraldError, type HeraldErrorCode, type HeraldErrorDetails } from './errors.js';
import type { StreamEnd } from './stream.js';

/** The hub's codes that say that there are too many matchers for one request. */
const TOO_MUCH = new Set(['matchers-too-many', 'matchers-too-costly', 'parameters-too-many', 'head-too-large']);

/** Whether a refusal with this code of the hub is for what was asked for. */
export function isOfMatchers(code = ''): boolean {
  return code.startsWith('matcher') || TOO_MUCH.has(code);
}

/** Whether it is for all that was asked for together, and not for one of it. */
export function isTooMuch(code = ''): boolean {
  return TOO_MUCH.has(code);
}

/** Why there is no stream, for people, by code. */
const REASONS: Partial<Record<HeraldErrorCode, string>> = {
  unreachable: 'The hub can not be reached, or the connection was cut.',
  stalled: 'The hub has sent nothing for too long, not even a heartbeat.',
  busy: 'The hub is busy.',
  'not-a-stream': 'Something else than the hub has answered: look at the URL, and at what is in front of the hub.',
  'token-failed': 'The token provider has failed, or its token was over before the hub had it.',
  unauthorized: 'The hub has refused the token.',
  refused: 'The hub has refused the stream.',
  stopped: 'The hub has nothing more to send.',
};

/** Why a stream has ended, as an error. */
export function toError({ code = 'unreachable', ...details }: StreamEnd): HeraldError {
  return new HeraldError(code, explain(code, details), details);
}

/** A sentence that a person understands: what happened, and what the hub says of it. */
function explain(code: HeraldErrorCode, { status, problem, cause }: HeraldErrorDetails): string {
  const answer = [status, problem?.code].filter(Boolean).join(' ');
  const words = problem?.detail ?? (code === 'misused' && cause instanceof Error ? cause.message : '');
  return [REASONS[code], answer && `(${answer})`, words].filter(Boolean).join(' ');
}
