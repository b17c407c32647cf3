import type { StreamEnd } from '../../streams/registry/stream-end.js';
import { weightOfText } from '../../storage/journal/update.js';
import type { Reader } from '../delivery/reader.js';
import type { Matcher } from '../matching/matcher.js';

/** Ended connections that are remembered, and about how many bytes of them. */
const MOST = 1_000;
const MOST_BYTES = 1024 * 1024;

/** Matchers of one connection that are remembered, and their bytes. Of those with more it is known only how many. */
const MOST_MATCHERS = 100;
const MATCHER_BYTES = 4 * 1024;

/** Bytes of a row besides its texts. */
const ROW = 300;

/** A connection that has ended, as far as it is remembered. Times are milliseconds since the epoch. */
export interface EndedReader {
  readonly id: number;
  readonly requestId: string;
  readonly subject: string | undefined;
  readonly issuer: string | undefined;
  readonly openedAt: number;
  readonly endedAt: number;
  readonly reason: StreamEnd;
  readonly began: number;
  readonly latestUpTo: number;
  /** The last entry that it wanted and was offered. */
  readonly cursor: number;
  readonly isConflated: boolean;
  readonly matcherCount: number;
  /** Undefined where they were too much to remember. */
  readonly matchers: readonly Matcher[] | undefined;
  /** The matchers that granted it private updates; undefined where that is not known. */
  readonly readMatchers: readonly Matcher[] | undefined;
}

/** The connections of this process that ended last: why, and how far they had come. It is bounded, and only for people. */
export class EndedReaders {
  private readonly rows = new Map<number, EndedReader>();
  private bytes = 0;

  note(reader: Reader, reason: StreamEnd): void {
    const { connection, cohort } = reader;
    const { serial: id, info } = connection;
    // One that was refused has no number, and never began.
    if (id === 0) return;
    const { matchers } = cohort.interest;
    const now = Date.now();
    const row: EndedReader = {
      id,
      requestId: info.requestId,
      subject: info.caller.subject,
      issuer: info.caller.issuer,
      openedAt: Math.round(now - (performance.now() - connection.openedAt)),
      endedAt: now,
      reason,
      ...placeOf(reader),
      isConflated: cohort.isConflated,
      matcherCount: matchers.length,
      matchers: few(matchers),
      readMatchers: few(cohort.readMatchers as readonly Matcher[] | undefined),
    };
    this.rows.set(id, row);
    this.bytes += weightOf(row);
    this.trim();
  }

  /** The one with this number. */
  get(id: number): EndedReader | undefined {
    return this.rows.get(id);
  }

  /** All of them, the latest first. */
  latest(): EndedReader[] {
    return [...this.rows.values()].toReversed();
  }

  private trim(): void {
    for (const [id, row] of this.rows) {
      if (this.rows.size <= MOST && this.bytes <= MOST_BYTES) return;
      this.rows.delete(id);
      this.bytes -= weightOf(row);
    }
  }
}

function placeOf({
  progress: { began, latestUpTo, cursor },
}: Reader): Pick<EndedReader, 'began' | 'latestUpTo' | 'cursor'> {
  return { began, latestUpTo, cursor };
}

function few(matchers: readonly Matcher[] | undefined): readonly Matcher[] | undefined {
  if (!matchers || matchers.length > MOST_MATCHERS) return undefined;
  return bytesOf(matchers) > MATCHER_BYTES ? undefined : matchers;
}

function weightOf({ requestId, subject, issuer, matchers = [], readMatchers = [] }: EndedReader): number {
  const texts = weightOfText(requestId) + weightOfText(subject) + weightOfText(issuer);
  return ROW + texts + bytesOf(matchers) + bytesOf(readMatchers);
}

function bytesOf(matchers: readonly Matcher[]): number {
  return matchers.reduce((sum, { pattern }) => sum + weightOfText(pattern), 0);
}
