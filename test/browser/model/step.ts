import fc from 'fast-check';
import { PEOPLE } from './people.js';
import { LETTERS, Wishes } from './wishes.js';

/** How many tabs there are. */
export const TABS = 3;

/** What becomes of the way between the tabs and the hub: it is cut, it carries nothing more, or something there answers so. */
export type Trouble = 'cut' | 'stall' | 429 | 404 | 502 | 503;

/** What happens next. Where it can't happen, such as the closing of a tab that is not open, nothing does. */
export type Step =
  | {
      readonly do: 'publish';
      readonly topics: readonly string[];
      readonly isPrivate: boolean;
      readonly count: number;
      /** Whether the next step waits for the answers. Otherwise they go on beside it, one after the other for a while. */
      readonly isAwaited: boolean;
    }
  | { readonly do: 'wait'; readonly milliseconds: number }
  /** In the first place where there is none. People and wishes are named by their places in their lists. */
  | { readonly do: 'open'; readonly person: number; readonly wish: number }
  | { readonly do: 'kill'; readonly tab: number; readonly how: 'is closed' | 'crashes' }
  | { readonly do: 'subscribe'; readonly tab: number; readonly wish: number }
  | { readonly do: 'stop'; readonly tab: number; readonly which: number }
  | { readonly do: 'become'; readonly tab: number; readonly person: number }
  | { readonly do: 'hide'; readonly tab: number; readonly how: 'is frozen' | 'is left for another page' }
  /** One of those that are hidden. */
  | { readonly do: 'show'; readonly which: number }
  /** From now on their tokens are soon over. */
  | { readonly do: 'expire'; readonly person: number }
  | { readonly do: 'trouble'; readonly trouble: Trouble }
  | { readonly do: 'mend' }
  | { readonly do: 'offline' }
  | { readonly do: 'online' }
  | { readonly do: 'restart'; readonly signal: 'SIGTERM' | 'SIGKILL' };

/** The steps of one kind. */
export type StepOf<Do extends Step['do']> = Extract<Step, { readonly do: Do }>;

/** Something for each kind of steps. */
export type ForSteps<Result> = { readonly [Do in Step['do']]: (step: StepOf<Do>) => Result };

/** What the table has for this step. */
export function choose<Result>(table: ForSteps<Result>, step: Step): Result {
  return (table[step.do] as (step: Step) => Result)(step);
}

/** What happens to some tabs of one browser. */
export interface Programme {
  readonly seed: number;
  /** Where tabs share by Web Locks, and where they have to by the worker. */
  readonly place: 'locks' | 'worker';
  readonly steps: readonly Step[];
}

const WISHES = new Wishes('').all;

const tab = fc.nat(TABS - 1);
const person = fc.nat(PEOPLE.length - 1);
const wish = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...WISHES.keys()).filter((index) => !WISHES[index]?.isBad) },
  { weight: 1, arbitrary: fc.constantFrom(...WISHES.keys()).filter((index) => WISHES[index]?.isBad === true) },
);

function one<Name extends Step['do'], Rest>(
  name: Name,
  rest: { readonly [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> },
): fc.Arbitrary<{ readonly do: Name } & Rest> {
  return fc.record({ do: fc.constant(name), ...rest }, { noNullPrototype: true }) as fc.Arbitrary<
    { readonly do: Name } & Rest
  >;
}

const publish = one('publish', {
  topics: fc.uniqueArray(fc.constantFrom<string>(...LETTERS), { minLength: 1, maxLength: 2 }),
  isPrivate: fc.boolean(),
  count: fc.constantFrom(1, 2, 4, 20),
  isAwaited: fc.boolean(),
});

const troubles: readonly Trouble[] = ['cut', 'cut', 'cut', 'stall', 'stall', 429, 404, 502, 503];

/** What is done often is that of which a page does much; whatever disturbs is mended soon, or nothing else would be seen. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: publish },
  { weight: 10, arbitrary: one('wait', { milliseconds: fc.integer({ min: 20, max: 400 }) }) },
  { weight: 12, arbitrary: one('subscribe', { tab, wish }) },
  { weight: 4, arbitrary: one('stop', { tab, which: fc.nat(9) }) },
  { weight: 4, arbitrary: one('open', { person, wish }) },
  { weight: 4, arbitrary: one('kill', { tab, how: fc.constantFrom('is closed', 'crashes') }) },
  { weight: 4, arbitrary: one('become', { tab, person }) },
  { weight: 4, arbitrary: one('hide', { tab, how: fc.constantFrom('is frozen', 'is left for another page') }) },
  { weight: 6, arbitrary: one('show', { which: fc.nat(TABS - 1) }) },
  { weight: 3, arbitrary: one('expire', { person }) },
  { weight: 7, arbitrary: one('trouble', { trouble: fc.constantFrom(...troubles) }) },
  { weight: 9, arbitrary: one('mend', {}) },
  { weight: 2, arbitrary: one('offline', {}) },
  { weight: 4, arbitrary: one('online', {}) },
  { weight: 4, arbitrary: one('restart', { signal: fc.constantFrom('SIGTERM', 'SIGKILL') }) },
);

/** Most of it is about tabs that are there, and that share. */
const opening = fc
  .tuple(fc.constantFrom(0, 0, 1, 3), fc.tuple(person, wish), fc.tuple(person, wish), fc.tuple(person, wish))
  .map(([usual, ...given]) =>
    given.map(([other, wanted], index): Step => ({
      do: 'open',
      person: index < TABS - 1 ? usual : other,
      wish: wanted,
    })),
  );

/** The programme of a seed: the same each time. */
export function programmeOf(seed: number, length: number): Programme {
  const steps = fc
    .tuple(opening, fc.array(step, { minLength: length - TABS, maxLength: length - TABS }))
    .map((parts) => parts.flat());
  const place = fc.constantFrom<Programme['place']>('locks', 'locks', 'locks', 'worker');
  const [sample] = fc.sample(fc.record({ place, steps }), { seed, numRuns: 1 });
  if (!sample) throw new Error('no programme');
  return { seed, ...sample };
}

const WORDS: ForSteps<string> = {
  publish: ({ count, isPrivate, topics, isAwaited }) =>
    `publish ${count} ${isPrivate ? 'private' : 'public'} on ${topics.join(' and ')}${isAwaited ? '' : ', and go on'}`,
  wait: ({ milliseconds }) => `wait ${milliseconds} ms`,
  open: (given) => `open a tab as ${nameOf(given.person)}, who subscribes to ${wishOf(given.wish)}`,
  kill: (given) => `tab ${given.tab} ${given.how}`,
  hide: (given) => `tab ${given.tab} ${given.how}`,
  show: (given) => `one of the hidden tabs is shown again (${given.which})`,
  subscribe: (given) => `tab ${given.tab} subscribes to ${wishOf(given.wish)}`,
  stop: (given) => `tab ${given.tab} stops one of its subscriptions (${given.which})`,
  become: (given) => `tab ${given.tab} becomes ${nameOf(given.person)}`,
  expire: (given) => `from now on the tokens of ${nameOf(given.person)} are soon over`,
  trouble: ({ trouble }) => `trouble: ${typeof trouble === 'number' ? `a gateway answers ${trouble}` : trouble}`,
  mend: () => 'the troubles are over',
  offline: () => 'the network is gone',
  online: () => 'the network is back',
  restart: ({ signal }) => `restart the hub by ${signal}, and go on`,
};

/** The step in words. */
export function describeStep(given: Step): string {
  return choose(WORDS, given);
}

function nameOf(index: number): string {
  return PEOPLE[index]?.name ?? '';
}

function wishOf(index: number): string {
  return WISHES[index]?.name ?? '';
}
