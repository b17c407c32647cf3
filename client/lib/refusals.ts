import { HeraldError, type HeraldErrorCode, type HeraldErrorDetails } from './errors.js';
import type { StreamEnd } from './stream.js';

/** Why there is no stream, for people, by code. */
const REASONS: Partial<Record<HeraldErrorCode, string>> = {
  unreachable: 'The hub can not be reached, or the connection was cut.',
  stalled: 'The hub has sent nothing for too long, not even a heartbeat.',
  busy: 'The hub is busy.',
  'not-a-stream': 'Something else than the hub has answered: look at its URL, and at what is in front of it.',
  'token-failed': 'There is no token to send: see `cause`.',
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
