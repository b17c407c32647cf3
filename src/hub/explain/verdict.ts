/** What can become of an update for one connection. A code that has been released keeps its meaning. */
export const VERDICTS = [
  // No such update is held: it never came, or it was trimmed.
  'not-held',
  // It was taken out of the history through this process.
  'removed',
  // None of the connection's matchers matches it.
  'no-match',
  // It is private, and the connection's token or session does not grant it.
  'not-granted',
  // The connection began after it.
  'before-start',
  // A newer one of the same topic has taken its place, as the connection asked for (`max_rate`, `begin=latest`).
  'conflated',
  // It is owed to the connection, and comes.
  'pending',
  // It was written to the connection.
  'written',
  // The connection ended before it was offered.
  'ended',
  // Too little is remembered of a connection that has ended.
  'unknown',
] as const;

export type Verdict = (typeof VERDICTS)[number];

/** What a verdict goes by. All places are positions in the log. */
export interface Facts {
  /** Where the update is held; undefined where it is not. */
  readonly position: number | undefined;
  readonly isRemoved: boolean;
  /** Undefined where nobody knows any more. */
  readonly isMatched: boolean | undefined;
  readonly isGranted: boolean | undefined;
  /** See `ReaderProgress`. */
  readonly began: number;
  readonly cursor: number;
  readonly isEnded: boolean;
  /** Whether the connection gets the newest updates alone, and a newer one lies before its cursor. */
  readonly isSuperseded: boolean;
}

export function verdictOf(facts: Facts): Verdict {
  const { position, isRemoved, isEnded, isSuperseded, began, cursor } = facts;
  if (position === undefined) return isRemoved ? 'removed' : 'not-held';
  const refusal = refusalOf(facts);
  if (refusal) return refusal;
  if (isSuperseded) return 'conflated';
  if (position <= began) return 'before-start';
  if (position <= cursor) return 'written';
  return isEnded ? 'ended' : 'pending';
}

function refusalOf({ isMatched, isGranted }: Facts): Verdict | undefined {
  if (isMatched === false) return 'no-match';
  if (isGranted === false) return 'not-granted';
  return isMatched === undefined || isGranted === undefined ? 'unknown' : undefined;
}
