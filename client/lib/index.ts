import type { HeraldClient, HeraldClientOptions } from './api.js';
import { Client } from './client.js';

export type * from './api.js';
export type { BackoffOptions } from './backoff.js';
export { HeraldError, type HeraldErrorCode, type Problem } from './errors.js';
export type { IterateOptions } from './iterate.js';
export type { Match, Matcher, UrlPatternConstructor } from './matcher.js';
export type { Message } from './message.js';
export type { PublishOptions } from './publisher.js';
export type { Resume, ResumeStore } from './resume.js';
export type { TokenProvider, TokenRequest } from './token.js';
export type { ConnectionState, Notice } from './wire.js';

/**
 * A client of a Herald hub. It connects when somebody subscribes, comes back whatever happens to the connection, and
 * delivers every message in order and once. `Topics` maps topics to the types of their payloads.
 * @throws TypeError for an invalid `url`, which must be absolute outside of a page.
 */
export function createHeraldClient<Topics = Record<string, unknown>>(
  options: HeraldClientOptions = {},
): HeraldClient<Topics> {
  return new Client(options);
}
