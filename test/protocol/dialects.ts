import type { Herald } from '../support/herald.js';
import { legacyToken, publisherToken, startHub, subscriberToken, type TokenOptions } from '../support/hub.js';

type MakeToken = (topics?: readonly string[], claims?: TokenOptions['claims']) => Promise<string>;

/** What the two dialects call the same thing, for rules that hold in both. */
export interface DialectUnderTest {
  readonly dialect: string;
  /** Names an exact topic in the query. */
  readonly parameter: 'match' | 'topic';
  readonly cursor: 'last_event_id' | 'lastEventID';
  readonly cursorHeader: 'mercure-last-event-id' | 'last-event-id';
  readonly cookie: string;
  /** Allows publishing to these topics; by default to all. */
  readonly publisher: MakeToken;
  readonly subscriber: MakeToken;
}

const CURRENT: DialectUnderTest = {
  dialect: 'current',
  parameter: 'match',
  cursor: 'last_event_id',
  cursorHeader: 'mercure-last-event-id',
  cookie: '__Secure-mercure_access_token',
  publisher: (topics = ['*'], claims = {}) => publisherToken({ topics: topics.map((match) => ({ match })), claims }),
  subscriber: (topics = ['*'], claims = {}) => subscriberToken({ topics: topics.map((match) => ({ match })), claims }),
};

const LEGACY: DialectUnderTest = {
  dialect: '0.x',
  parameter: 'topic',
  cursor: 'lastEventID',
  cursorHeader: 'last-event-id',
  cookie: 'mercureAuthorization',
  publisher: (publish = ['*'], claims = {}) => legacyToken('publisher', { publish }, claims),
  subscriber: (subscribe = ['*'], claims = {}) => legacyToken('subscriber', { subscribe }, claims),
};

export const DIALECTS: readonly DialectUnderTest[] = [CURRENT, LEGACY];

/** A hub that speaks both. */
export function startBilingualHub(env: Readonly<Record<string, string>> = {}): Promise<Herald> {
  return startHub({ HERALD_LEGACY: 'true', ...env });
}
