import { HeraldError, type HeraldErrorCode } from './errors.js';
import type { StreamEnd } from './stream.js';

/** Why there is no stream where nothing was answered, for people, by code. */
const REASONS: Partial<Record<HeraldErrorCode, string>> = {
  unreachable: 'The hub can not be reached, or the connection was cut.',
  stalled: 'The hub has sent nothing for too long, not even a heartbeat.',
  'token-failed': 'There is no token: see `cause`.',
};

/** Why a stream has ended, as an error. */
export function toError({ code = 'unreachable', message = REASONS[code] ?? '', ...details }: StreamEnd): HeraldError {
  return new HeraldError(code, message, details);
}
