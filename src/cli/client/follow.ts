import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../shared/errors/message-of.js';
import { ask, eventsOf, type FeedEvent } from './event-feed.js';
import { refusalOf } from './refusal.js';

/** Milliseconds before coming back, where the hub does not say: the first delay, and the longest one. */
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;

/** Statuses that may be another one soon. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** There is nothing to follow. The message says why. */
export class FollowError extends Error {
  override readonly name = 'FollowError';
}

export interface FollowOptions {
  /** The hub's URL with the query that says what is wanted. */
  readonly url: URL;
  /** A token for the next attempt; undefined for none. */
  readonly token: () => Promise<string | undefined>;
  /** Is told that the stream has broken, and that it is there again. */
  readonly tell: (text: string) => void;
}

/** Where a follower is, over all its connections. */
interface Place {
  lastEventId: string;
  retry: number;
  /** Attempts that have failed since the last stream. */
  failures: number;
  hasBegun: boolean;
}

/**
 * The events of a hub, over all connections that it takes: after each break it comes back with the last id.
 * @throws {FollowError} when the hub refuses, or is not there at all.
 */
export async function* follow(options: FollowOptions): AsyncGenerator<FeedEvent, void> {
  const place: Place = { lastEventId: '', retry: FIRST_DELAY, failures: 0, hasBegun: false };
  for (;;) {
    try {
      yield* followOne(options, place);
    } catch (error) {
      if (error instanceof FollowError) throw error;
      if (!place.hasBegun) throw new FollowError(`The hub can't be reached: ${messageOf(error)}.`, { cause: error });
      if (place.failures === 0) options.tell(`The stream has broken (${messageOf(error)}): trying again.`);
      place.failures += 1;
    }
    // oxlint-disable-next-line no-await-in-loop -- a rest between two connections
    await delay(Math.min(place.retry * 2 ** Math.min(place.failures, 5), LONGEST_DELAY));
  }
}

/** The events of one connection. */
async function* followOne({ url, token, tell }: FollowOptions, place: Place): AsyncGenerator<FeedEvent, void> {
  const response = await open(url, await token(), place.lastEventId);
  if (place.failures > 0) tell('The stream goes on.');
  place.failures = 0;
  place.hasBegun = true;
  for await (const fed of eventsOf(response)) {
    if ('retry' in fed) {
      place.retry = fed.retry;
      continue;
    }
    place.lastEventId = fed.event.id ?? place.lastEventId;
    yield fed.event;
  }
}

async function open(url: URL, token: string | undefined, lastEventId: string): Promise<IncomingMessage> {
  const headers = {
    // With more than that, a proxy says so when the hub is away, where an `EventSource` gets an empty stream.
    accept: 'text/event-stream, application/problem+json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(lastEventId !== '' && { 'last-event-id': lastEventId }),
  };
  const response = await ask(url, { headers });
  if (response.statusCode === 200) return response;
  const reason = await refusalOf(response);
  if (PASSING.has(response.statusCode ?? 0)) throw new Error(reason);
  throw new FollowError(`The hub refuses: ${reason}.`);
}
