import type { HeraldClient, HeraldClientOptions } from './api.js';
import { Client } from './client.js';

export type * from './api.js';
export type { BackoffOptions } from './backoff.js';
export type { BatchAnswer, BatchOptions, BatchUpdate } from './batch.js';
export { HeraldError, type HeraldErrorCode, type HeraldErrorDetails, type Problem } from './errors.js';
export type { HistoryOptions, HistoryPage, PastMessage } from './history.js';
export type { IterateOptions } from './iterate.js';
export type { Match, Matcher, OneMatch, UrlPatternConstructor } from './matcher.js';
export type { Message } from './message.js';
export type { PayloadForm } from './payload.js';
export type { ListOptions, PresenceChange, PresenceHandler, PresenceOptions, Subscriber } from './presence.js';
export type { PublishOptions, UpdateOptions } from './publisher.js';
export type { Resume, ResumeStore } from './resume.js';
export type { Transport } from './stream.js';
export type { TokenProvider, TokenRequest } from './token.js';
export type { ConnectionState, Notice } from './wire.js';

/**
 * A client of a Herald hub. It connects when somebody subscribes, comes back whatever happens to the connection, and
 * delivers every message in order and once. `Topics` maps topics to the types of their payloads.
 * Where there is no page, as on a server that renders, a relative `url` is `misused` once it is needed.
 * @throws TypeError for an invalid `url`.
 */
export function createHeraldClient<Topics = Record<string, unknown>>(
  options: HeraldClientOptions = {},
): HeraldClient<Topics> {
  return new Client(options);
}
