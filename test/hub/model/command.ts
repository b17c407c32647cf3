import fc from 'fast-check';

/** How many readers there are. */
const READERS = 6;

/** Where a connection begins: where the reader was, or anew in one of these ways. */
export type Beginning = 'resume' | 'now' | 'newest' | 'earliest' | 'unknown';

/** What happens next. Where it can't happen, such as the leaving of somebody who has left, nothing does. */
export type Command =
  | {
      readonly do: 'publish';
      /** 0 or 1, each of which some readers want. */
      readonly topic: number;
      readonly count: number;
      readonly bytes: number;
      /** Whether the next command waits for the answer. */
      readonly isAwaited: boolean;
    }
  | {
      readonly do: 'connect';
      readonly reader: number;
      /** Chooses among the ways in. */
      readonly way: number;
      readonly begin: Beginning;
      /** Whether its token ends in a moment. */
      readonly expires: boolean;
    }
  | { readonly do: ReaderDeed; readonly reader: number }
  /** Waits until everything that has been published is too old. */
  | { readonly do: 'age' }
  /** The log loses what was published after some place, as far as the engine can. */
  | { readonly do: 'lose'; readonly isAll: boolean; readonly count: number };

export type ReaderDeed = 'stall' | 'read' | 'leave' | 'reset' | 'dismiss' | 'revoke';

interface Load {
  readonly count: number;
  readonly bytes: number;
}

/** How many at once, how large each is, and how often that is: what is large takes its time. */
const LOADS: readonly (Load & { readonly weight: number })[] = [
  { count: 1, bytes: 10, weight: 6 },
  { count: 5, bytes: 10, weight: 3 },
  { count: 60, bytes: 10, weight: 3 },
  { count: 10, bytes: 15_000, weight: 3 },
  { count: 4, bytes: 200_000, weight: 2 },
  { count: 20, bytes: 200_000, weight: 1 },
  { count: 1, bytes: 1_000_000, weight: 1 },
  { count: 3, bytes: 1_000_000, weight: 1 },
];

const load = fc.oneof(
  ...LOADS.map(({ weight, count, bytes }) => ({ weight, arbitrary: fc.constant<Load>({ count, bytes }) })),
);

/** Counterexamples are read by people. */
const PLAIN = { noNullPrototype: true };

const reader = fc.nat(READERS - 1);

const publish: fc.Arbitrary<Command> = fc
  .record({ topic: fc.nat(1), load, isAwaited: fc.boolean() }, PLAIN)
  .map(({ load: { count, bytes }, topic, isAwaited }) => ({ do: 'publish', topic, count, bytes, isAwaited }));

const connect: fc.Arbitrary<Command> = fc.record(
  {
    do: fc.constant('connect'),
    reader,
    way: fc.nat(11),
    begin: fc.constantFrom<Beginning>('resume', 'resume', 'now', 'newest', 'earliest', 'unknown'),
    expires: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
  },
  PLAIN,
);

const deed: fc.Arbitrary<Command> = fc.record(
  {
    do: fc.constantFrom<ReaderDeed>('stall', 'stall', 'stall', 'read', 'read', 'leave', 'reset', 'dismiss', 'revoke'),
    reader,
  },
  PLAIN,
);

const lose: fc.Arbitrary<Command> = fc.record(
  {
    do: fc.constant('lose'),
    isAll: fc.boolean(),
    count: fc.integer({ min: 1, max: 8 }),
  },
  PLAIN,
);

export interface CommandOptions {
  /** Whether updates become too old within a run. */
  readonly ages: boolean;
  /** Whether losing takes so long that it is to be rare: a process has to start again. */
  readonly losesRarely: boolean;
}

/** Commands one after the other; those that take long are rare. */
export function commands({ ages, losesRarely }: CommandOptions): fc.Arbitrary<Command[]> {
  const command = fc.oneof(
    { weight: 40, arbitrary: publish },
    { weight: 32, arbitrary: connect },
    { weight: 48, arbitrary: deed },
    { weight: ages ? 6 : 0, arbitrary: fc.constant<Command>({ do: 'age' }) },
    { weight: losesRarely ? 1 : 4, arbitrary: lose },
  );
  // Most of it is about readers who are there.
  const [first, then] = [fc.array(connect, { maxLength: READERS }), fc.array(command, { minLength: 5, maxLength: 40 })];
  return fc.tuple(first, then).map((parts) => parts.flat());
}
