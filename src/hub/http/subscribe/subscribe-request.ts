import { HubError } from '../../../access/hub.errors.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { type Matcher, matcherKey } from '../../matching/matcher.js';
import { MatcherBudget } from './matcher-budget.js';
import { CURRENT_DIALECT } from '../../protocol/current-dialect.js';
import type { Dialect } from '../../protocol/dialect.js';
import type { StreamWishes } from '../../../streams/registry/stream-wishes.js';
import { type FormLimits, type FormPair, parseForm } from '../../protocol/form.js';

export interface SubscribeInput {
  /** The query as it stands in the request line, without the `?`. */
  readonly query: string;
  /** The body of a `QUERY` request, a form like the query (R6). */
  readonly body?: Uint8Array;
  /** The `Last-Event-ID` header. */
  readonly lastEventIdHeader?: string;
  readonly hubUrl: URL;
  /** Default: the current one. */
  readonly dialect?: Dialect;
  /** Whether streams get notices where neither they nor their dialect say otherwise. Default: yes. */
  readonly hasNotices?: boolean;
}

export interface SubscribeRequest {
  /** At least one, no two the same. */
  readonly matchers: readonly Matcher[];
  /** The event id to resume after. An empty one is still a cursor: it names no event (R69). */
  readonly cursor?: string;
  /** How many of the newest updates to begin with: an extension of this hub. */
  readonly last?: number;
  /** Whether to begin with the newest update of each topic: an extension of this hub. */
  readonly beginsLatest: boolean;
  /** How many offers a second to get at most, each of the newest update of each topic: an extension of this hub. */
  readonly maxRate?: number;
  /** How the stream itself is to be: an extension of this hub. */
  readonly wishes: StreamWishes;
  /** What the patterns were compiled to, which is shared for as long as somebody has it: see `CompiledPatterns`. */
  readonly compiled: readonly object[];
  /** Whether `with=topics` was asked for: an extension of this hub, which others ignore. */
  readonly namesTopics: boolean;
  /** Whether `with=trace` was asked for: an extension of this hub, which others ignore. */
  readonly namesTrace: boolean;
}

const SUBSCRIBE_FORM_LIMITS: FormLimits = { maxPairs: HUB_LIMITS.subscribePairs, overflow: 'parameters-too-many' };

/** In lower case. `last_event_id` is the protocol's (R65); clients in the field send the others. */
const CURSOR_PARAMETERS: ReadonlySet<string> = new Set([
  'last_event_id',
  'lasteventid',
  'last-event-id',
  'evs_last_event_id',
]);

/**
 * What a request wants to subscribe to, and from where on (R7, R9–R15, R65). The matchers are those of the query and of
 * the body together. Of several cursors the header's counts before the query's, and the query's before the body's,
 * because a client that reconnects sends a newer header with the URL that it was first given. Other parameters are
 * ignored. There is a step before each pattern, because compiling it may take some milliseconds.
 *
 * @throws HubError with the code of the first rule that is broken
 */
export function* parseSubscribe(input: SubscribeInput): Generator<void, SubscribeRequest> {
  const { query, body, lastEventIdHeader, hubUrl, dialect = CURRENT_DIALECT, hasNotices = true } = input;
  const noticesByDefault = hasNotices && dialect.hasNotices;
  const pairs = parseForm(query, SUBSCRIBE_FORM_LIMITS);
  if (body !== undefined) pairs.push(...parseForm(body, SUBSCRIBE_FORM_LIMITS));
  const budget = new MatcherBudget(dialect.limitOf, hubUrl);
  const matchers = yield* gatherMatchers(dialect.matchersOf(pairs), budget);
  const { compiled } = budget;
  const cursor = newestOf(lastEventIdHeader) ?? pairs.find(([name]) => CURSOR_PARAMETERS.has(name.toLowerCase()))?.[1];
  const last = lastOf(pairs);
  const maxRate = maxRateOf(pairs);
  return {
    matchers,
    compiled,
    namesTopics: has(pairs, 'with', 'topics'),
    namesTrace: has(pairs, 'with', 'trace'),
    wishes: { notices: noticesOf(pairs) ?? noticesByDefault, heartbeat: heartbeatOf(pairs) },
    beginsLatest: beginsLatest(pairs),
    ...(cursor !== undefined && { cursor }),
    ...(last !== undefined && { last }),
    ...(maxRate !== undefined && { maxRate }),
  };
}

/**
 * The last id of a header that names several: a client may have one that it was given and one that it has got since, and
 * whoever passes both on makes a list of them. No id has a space.
 */
function newestOf(header: string | undefined): string | undefined {
  if (!header?.includes(', ')) return header;
  return header.split(/, +/).findLast((id) => id !== '') ?? '';
}

/** Whether notices are asked for, by name; undefined where nothing is said of them. */
export function noticesOf(pairs: readonly FormPair[]): boolean | undefined {
  if (has(pairs, 'with', 'notices')) return true;
  return has(pairs, 'without', 'notices') ? false : undefined;
}

function has(pairs: readonly FormPair[], name: string, value: string): boolean {
  return pairs.some((pair) => pair[0] === name && pair[1] === value);
}

/** Milliseconds. */
function heartbeatOf(pairs: readonly FormPair[]): number | undefined {
  const text = valueOf(pairs, 'heartbeat');
  if (text === undefined) return undefined;
  const { least, most } = HUB_LIMITS.heartbeat;
  const seconds = /^[0-9]{1,2}(?:\.[0-9]{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds >= least && seconds <= most) return Math.round(seconds * 1_000);
  throw new HubError('heartbeat-invalid', `"heartbeat" must be a number of seconds, from ${least} to ${most}.`);
}

function valueOf(pairs: readonly FormPair[], name: string): string | undefined {
  return pairs.find((pair) => pair[0] === name)?.[1];
}

function lastOf(pairs: readonly FormPair[]): number | undefined {
  const digits = valueOf(pairs, 'last');
  if (digits === undefined) return undefined;
  const count = /^[0-9]{1,4}$/.test(digits) ? Number(digits) : 0;
  if (count >= 1 && count <= HUB_LIMITS.last) return count;
  throw new HubError('last-invalid', `"last" must be a number of updates, from 1 to ${HUB_LIMITS.last}.`);
}

function maxRateOf(pairs: readonly FormPair[]): number | undefined {
  const text = valueOf(pairs, 'max_rate');
  if (text === undefined) return undefined;
  const { least, most } = HUB_LIMITS.maxRate;
  const rate = /^[0-9]{1,2}(?:\.[0-9]+)?$/.test(text) ? Number(text) : 0;
  if (rate >= least && rate <= most) return rate;
  throw new HubError(
    'max-rate-invalid',
    `"max_rate" must be a number of offers in a second, from ${least} to ${most}.`,
  );
}

function beginsLatest(pairs: readonly FormPair[]): boolean {
  const begin = valueOf(pairs, 'begin');
  if (begin === undefined) return false;
  const hasLast = pairs.some(([name]) => name === 'last');
  if (begin === 'latest' && !hasLast) return true;
  throw new HubError('begin-invalid', '"begin" must be "latest", and can not be used together with "last".');
}

const EMPTY = 'A matcher is empty, and so could match nothing: look for a variable that is not set where it was made.';

/** The matchers without repetitions, in the order in which each came first. */
function* gatherMatchers(given: Iterable<Matcher>, budget: MatcherBudget): Generator<void, Matcher[]> {
  const matchers = new Map<string, Matcher>();
  for (const matcher of given) {
    // Nothing can be published that it matches, so whoever asks for it has lost the topic somewhere.
    if (matcher.pattern === '') throw new HubError('matcher-invalid', EMPTY);
    const key = matcherKey(matcher);
    if (matchers.has(key)) continue;
    if (matcher.type !== 'exact') yield;
    budget.spend(matcher);
    matchers.set(key, matcher);
  }
  if (matchers.size === 0) {
    throw new HubError('matcher-missing', 'A subscription needs at least one "match" or "match_urlpattern" parameter.');
  }
  return [...matchers.values()];
}
