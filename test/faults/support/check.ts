import type { History, Seen } from './history.js';

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
}

const NOTHING: Loss = { after: Infinity, ids: [] };

/**
 * Everything that is wrong with a history; nothing when all promises were kept:
 *  - what was acknowledged is in the log, unless it is among what was lost; what was refused is not; nothing is twice;
 *  - what a publisher was told of is in the order in which it published;
 *  - each reader, which began with the earliest update, saw the log: all of it, once and in its order, except that after
 *    the notice of a gap it may go on later. Where something was lost it may have seen that too, in its order, and after
 *    it, told by a reset, exactly what took its place.
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
    ...[...history.readers].flatMap(([reader, seen]) => shorten(`reader ${reader}`, checkReader(seen, log, lost))),
  ];
}

function checkReader(seen: readonly Seen[], log: readonly string[], lost: Loss = NOTHING): string[] {
  const before = [...log.slice(0, lost.after), ...lost.ids];
  const gone = new Set(lost.ids);
  const wrong: string[] = [];
  let start = 0;
  let stretch: Seen[] = [];
  let cursor = '';
  for (const one of seen) {
    if ('id' in one) cursor = one.id;
    // Who comes back with the id of something lost, maybe after it was told, begins anew.
    const isAnew = isNotHeld(one) && gone.has(cursor);
    if (!isReset(one) && !isAnew) {
      stretch.push(one);
      continue;
    }
    const walked = walk(stretch, before, start);
    wrong.push(...walked.wrong);
    if (!isAnew && walked.next <= lost.after) wrong.push('was told of a reset, and had got nothing of what was lost');
    start = isAnew ? 0 : lost.after;
    stretch = [];
  }
  const { next, wrong: more } = walk(stretch, log, start);
  if (next < log.length) more.push(`the last ${log.length - next} did not come`);
  return [...wrong, ...more];
}

/** Goes along `log` from the place `next` on, and answers where that ends and what did not fit. */
function walk(seen: readonly Seen[], log: readonly string[], start: number): { next: number; wrong: string[] } {
  const places = new Map(log.map((id, index) => [id, index]));
  const wrong: string[] = [];
  let next = start;
  let mayJump = false;
  for (const one of seen) {
    if ('notice' in one) {
      mayJump = true;
      continue;
    }
    const place = places.get(one.id);
    if (place === undefined) wrong.push(`${one.id} is not in the log`);
    else if (place < next) wrong.push(`${one.id} came again, or too late`);
    else if (place > next && !mayJump) wrong.push(`${place - next} missing before ${one.id}`);
    next = (place ?? next - 1) + 1;
    mayJump = false;
  }
  return { next, wrong };
}

function isReset(seen: Seen): boolean {
  return 'notice' in seen && seen.notice === 'reset';
}

function isNotHeld(seen: Seen): boolean {
  return 'notice' in seen && seen.reason === 'not-held';
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
