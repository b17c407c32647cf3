import type { Began, History, Seen, Told } from './history.js';

/** How many faults of one kind are spelt out. */
const SHOWN = 5;

export interface CheckOptions {
  /** Everything that was stored, in order: the log after all faults, or what one reader saw that never fell behind. */
  readonly log: readonly string[];
  /** What the engine has lost, and readers may have seen before they were told: nothing, unless it is said. */
  readonly lost?: Loss;
}

/** The engine went back: up to some place its log stayed, and what came after that is gone. */
export interface Loss {
  /** How many of the log's updates were there before, and stayed. */
  readonly after: number;
  /** What followed them then. */
  readonly ids: readonly string[];
  /** Whether more was lost than readers asked for: who had got nothing of it may be told all the same. */
  readonly isMore?: boolean;
}

const NOTHING: Loss = { after: Infinity, ids: [] };

/**
 * Everything that is wrong with a history; nothing when all promises were kept:
 *  - what was acknowledged is in the log, unless it is among what was lost; what was refused is not; nothing is twice;
 *  - what a publisher was told of is in the order in which it published;
 *  - what readers got was well formed;
 *  - each reader, which began with the earliest update where it did not say otherwise, saw the log: all of it, once and in
 *    its order, except that after the notice of a gap it may go on later. Where something was lost it may have seen that
 *    too, in its order, and after it, told by a reset, exactly what took its place.
 */
export function checkHistory(history: History, { log, lost }: CheckOptions): string[] {
  const held = new Set(log);
  const gone = new Set(lost?.ids);
  const acknowledged = history.idsWith('acknowledged');
  return [
    ...shorten('stored twice', duplicatesOf(log)),
    ...shorten(
      'acknowledged and lost',
      acknowledged.filter((id) => !held.has(id) && !gone.has(id)),
    ),
    ...shorten(
      'refused and stored',
      history.idsWith('refused').filter((id) => held.has(id)),
    ),
    ...shorten('out of order', misplacedIn(log, new Set(acknowledged))),
    ...shorten('malformed', history.malformed),
    ...[...history.readers].flatMap(([reader, seen]) => shorten(`reader ${reader}`, checkReader(seen, log, lost))),
  ];
}

/** What a reader saw from one beginning to the next. */
interface Stretch {
  readonly start: Began;
  readonly seen: Exclude<Seen, Began>[];
}

const EARLIEST: Began = { from: 0, to: 0 };

function checkReader(seen: readonly Seen[], log: readonly string[], lost: Loss = NOTHING): string[] {
  const before = [...log.slice(0, lost.after), ...lost.ids];
  const gone = new Set(lost.ids);
  const isLost = (id: string): boolean => gone.has(id) || (id === '' && stretch.start.from > lost.after);
  const wrong: string[] = [];
  let stretch: Stretch = { start: EARLIEST, seen: [] };
  let cursor = '';
  for (const one of seen) {
    if ('id' in one) cursor = one.id;
    if ('from' in one) {
      cursor = '';
      wrong.push(...checkEither(stretch, log, before));
      stretch = { start: one, seen: [] };
    } else if (isReset(one)) {
      const walked = walk(stretch, before);
      wrong.push(...walked.wrong);
      if (!lost.isMore && walked.to <= lost.after)
        wrong.push('was told of a reset, and had got nothing of what was lost');
      stretch = { start: { from: lost.after, to: lost.after }, seen: [] };
    } else if (isGap(one) && isLost(cursor)) {
      // Who comes back with the id of something lost begins anew, maybe after it was told; so does who has got nothing
      // yet, and comes back with a cursor behind something lost. So does who lacks more than what was lost because that
      // was trimmed meanwhile: then nobody can know any more that something was lost.
      wrong.push(...walk(stretch, before).wrong);
      stretch = { start: { from: 0, to: one.to ?? 0 }, seen: [] };
    } else stretch.seen.push(one);
  }
  const { from, wrong: more } = walk(stretch, log);
  if (from < log.length) more.push(`the last ${log.length - from} did not come`);
  return [...wrong, ...more];
}

/** A stretch that the reader has ended itself: nobody knows whether that was before the loss or after it. */
function checkEither(stretch: Stretch, log: readonly string[], before: readonly string[]): string[] {
  const { wrong } = walk(stretch, log);
  return wrong.length > 0 && walk(stretch, before).wrong.length === 0 ? [] : wrong;
}

/** Goes along `log`, and answers at which places the next update may be, and what did not fit. */
function walk({ start, seen }: Stretch, log: readonly string[]): Began & { wrong: string[] } {
  const places = new Map(log.map((id, index) => [id, index]));
  const wrong: string[] = [];
  let { from, to } = start;
  for (const one of seen) {
    if ('notice' in one) {
      to = Math.max(from, one.to ?? Infinity);
      continue;
    }
    const place = places.get(one.id);
    if (place === undefined) wrong.push(`${one.id} is not in the log`);
    else if (place < from) wrong.push(`${one.id} came again, or too late`);
    else if (place > to) wrong.push(`${place - to} missing before ${one.id}`);
    if (place !== undefined) from = place + 1;
    to = from;
  }
  return { from, to, wrong };
}

function isReset(seen: Seen): boolean {
  return 'notice' in seen && seen.notice === 'reset';
}

function isGap(seen: Seen): seen is Told {
  return 'notice' in seen && seen.notice === 'gap';
}

/** Ids are `publisher-number`. Only those count that a publisher was told of before it went on. */
function misplacedIn(log: readonly string[], acknowledged: ReadonlySet<string>): string[] {
  const newest = new Map<string, number>();
  return log.filter((id) => {
    const [publisher = '', number = ''] = id.split('-');
    if (!acknowledged.has(id)) return false;
    const isLater = Number(number) > (newest.get(publisher) ?? -1);
    newest.set(publisher, Number(number));
    return !isLater;
  });
}

function duplicatesOf(ids: readonly string[]): string[] {
  const known = new Set<string>();
  return ids.filter((id) => known.size === known.add(id).size);
}

function shorten(what: string, wrong: readonly string[]): string[] {
  const more = wrong.length > SHOWN ? [`${what}: ${wrong.length - SHOWN} more`] : [];
  return [...wrong.slice(0, SHOWN).map((one) => `${what}: ${one}`), ...more];
}
