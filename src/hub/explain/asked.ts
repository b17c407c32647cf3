import { Connection } from '../../streams/connections/connection.js';
import type { OpenStream } from '../../streams/registry/stream-registry.js';
import type { Update } from '../../storage/journal/update.js';
import type { ReaderState } from '../delivery/counts/delivery-counts.js';
import { Reader } from '../delivery/reader.js';
import { Interest } from '../matching/interest.js';
import type { Matcher } from '../matching/matcher.js';
import type { EndedReader } from './ended-readers.js';

/** A connection that is asked about, open or ended. Times are milliseconds since the epoch. */
export interface Asked {
  /** What is told of it. */
  readonly told: Readonly<Record<string, unknown>>;
  /** Why it ended; undefined where it has not. */
  readonly reason: string | undefined;
  /** Undefined where its matchers are no longer known. */
  readonly interest: Interest | undefined;
  /** Whether it may read an update; undefined where that is no longer known. */
  readonly mayRead: (update: Update) => boolean | undefined;
  /** The matchers that grant it private updates, where they are known. */
  readonly readMatchers: readonly Matcher[] | undefined;
  readonly began: number;
  readonly latestUpTo: number;
  readonly cursor: number;
  readonly isConflated: boolean;
  /** Undefined where it has ended. */
  readonly open: OpenFacts | undefined;
}

/** What is known of a connection only while it is open. */
export interface OpenFacts {
  readonly state: ReaderState;
  readonly head: number;
  readonly openedAt: number;
  readonly lastWriteAt: number;
  /** Since when its socket is full; undefined while it is not. */
  readonly fullSince: number | undefined;
  /** Bytes that its socket has not taken. */
  readonly unsent: number;
  /** Whether its matchers are found by the topic's own text, so that the time of an offer is known. */
  readonly isTimed: boolean;
}

/** An open stream as one to ask about; undefined where it is no subscription to the hub. */
export function askedOf(stream: OpenStream): Asked | undefined {
  const reader = stream instanceof Connection ? stream.subscriber : undefined;
  if (!(reader instanceof Reader)) return undefined;
  const { connection, cohort, progress } = reader;
  const { serial: id, info, openedAt, lastWriteAt, fullSince, unsent } = connection;
  const { subject, issuer } = info.caller;
  const { began, latestUpTo, cursor, head, state } = progress;
  return {
    told: { id, requestId: info.requestId, subject, issuer, openedAt: isoOf(wallTime(openedAt)) },
    reason: undefined,
    interest: cohort.interest,
    mayRead: (update) => cohort.mayRead(update),
    readMatchers: cohort.readMatchers as readonly Matcher[] | undefined,
    began,
    latestUpTo,
    cursor,
    isConflated: cohort.isConflated,
    open: {
      state,
      head,
      openedAt: wallTime(openedAt),
      lastWriteAt: wallTime(lastWriteAt),
      fullSince: fullSince === 0 ? undefined : wallTime(fullSince),
      unsent,
      isTimed: !cohort.takesLong && !cohort.isConflated,
    },
  };
}

/** A connection that has ended. */
export function endedOf(row: EndedReader, hubUrl: URL): Asked {
  const { id, requestId, subject, issuer, matchers, readMatchers, reason, matcherCount } = row;
  const { began, latestUpTo, cursor, isConflated } = row;
  const ended = { reason, at: isoOf(row.endedAt), matcherCount };
  const granted = readMatchers && new Interest(readMatchers, hubUrl);
  return {
    told: { id, requestId, subject, issuer, openedAt: isoOf(row.openedAt), ended },
    reason,
    interest: matchers && new Interest(matchers, hubUrl),
    mayRead: (update) => !update.private || granted?.includes(update.topics),
    readMatchers,
    began,
    latestUpTo,
    cursor,
    isConflated,
    open: undefined,
  };
}

/** A time on the monotonic clock, in milliseconds since the epoch. */
export function wallTime(monotonic: number): number {
  return Math.round(Date.now() - (performance.now() - monotonic));
}

export function isoOf(time: number): string {
  return new Date(time).toISOString();
}
