import type { Miss, NearMiss } from './near-misses.js';
import type { OpenFacts } from './asked.js';
import type { Verdict } from './verdict.js';

/** What a sentence is made of. */
export interface Said {
  readonly verdict: Verdict;
  readonly now: number;
  readonly open: OpenFacts | undefined;
  /** Why it ended, where it has. */
  readonly reason: string | undefined;
  readonly nearMisses: readonly NearMiss[];
  readonly isConflated: boolean;
  readonly cursor: number;
  /** Whether its matchers match the topic that was asked about; undefined where that is not known. */
  readonly isMatched: boolean | undefined;
}

const MISSES: Readonly<Record<Miss, string>> = {
  'trailing-slash': 'a slash at the end',
  case: 'upper and lower case',
  encoding: 'percent-encoding',
  scheme: 'http in place of https, or the reverse',
  relative: "whether the hub's own address is written out",
  'pattern-as-topic': 'that it was given as a topic (match) and looks like a URL Pattern: use match_urlpattern',
};

/** A verdict in plain English. */
export function sentenceOf(said: Said): string {
  return SENTENCES[said.verdict](said);
}

const SENTENCES: Readonly<Record<Verdict, (said: Said) => string>> = {
  'not-held': ({ isMatched }) =>
    `No such update is held: it was never published here, or it was trimmed.${wouldMatch(isMatched)}`,
  removed: () => 'The update was taken out of the history, and nobody gets it any more.',
  'no-match': ({ nearMisses: [near] }) =>
    near
      ? `None of the connection's matchers matches the update; the nearest differs in ${MISSES[near.differs]}.`
      : "None of the connection's matchers matches the update.",
  'not-granted': () => 'The update is private, and what the connection was granted does not include any of its topics.',
  'before-start': () =>
    'The connection began after this update, and did not ask for what came before: see Last-Event-ID, last and begin.',
  conflated: ({ isConflated }) =>
    isConflated
      ? 'A newer update of the same topic has followed, and with max_rate only the newest at each offer is sent: this one may have been left out.'
      : 'The connection began with the newest update of each topic (begin=latest), and this one was not the newest.',
  pending: (said) => `The update is owed to this connection and was not written yet: ${whyPending(said)}.`,
  written: (said) => written(said),
  ended: ({ reason }) => `The connection ended (${reason}) before it was offered the update.`,
  unknown: () => 'The connection has ended, and too little of it is remembered to say.',
};

function wouldMatch(isMatched: boolean | undefined): string {
  if (isMatched === undefined) return '';
  return ` The connection's matchers ${isMatched ? 'match' : 'do not match'} the topic.`;
}

function whyPending({ open, now, isConflated, cursor }: Said): string {
  if (!open) return 'the connection has ended';
  if (open.fullSince !== undefined) return `its client has taken nothing for ${seconds(now - open.fullSince)}`;
  if (open.state === 'over') return 'the connection is being ended';
  if (open.state === 'behind') return `it is catching up, ${open.head - cursor} position(s) behind the head`;
  return isConflated ? 'its next offer is not due yet (max_rate)' : 'its turn comes at once';
}

function written({ open, reason, now }: Said): string {
  if (!open) return `The update was written to this connection before it ended (${reason}).`;
  const ago = `at the latest ${seconds(now - open.lastWriteAt)} ago`;
  return open.unsent === 0
    ? `The update was written to this connection, ${ago}, and the socket has taken it.`
    : `The update was written to this connection, ${ago}, and may be among ${open.unsent} bytes that its client has not taken yet.`;
}

function seconds(milliseconds: number): string {
  return `${Math.max(0, milliseconds / 1_000).toFixed(1)} s`;
}
