import type { History } from './history.js';

/** How many faults of one kind are spelt out. */
const SHOWN = 5;

export interface CheckOptions {
  /** The log after all faults, read from its beginning; or what one reader saw that never fell behind. */
  readonly log: readonly string[];
  /** Whether the log's beginning may have been trimmed, so that what is not in it may just be old. */
  readonly isTrimmed?: boolean;
}

/**
 * Everything that is wrong with a history:
 *  - what was acknowledged is in the log, what was refused is not, and nothing is there twice;
 *  - each reader saw the log, from some point on and in its order, without leaving out or repeating anything, except
 *    that after a notice of a gap it may go on later.
 */
export function checkHistory(history: History, { log, isTrimmed = false }: CheckOptions): string[] {
  const places = new Map(log.map((id, index) => [id, index]));
  return [
    ...shorten('stored twice', duplicatesOf(log)),
    ...(isTrimmed
      ? []
      : shorten(
          'acknowledged and lost',
          idsWith(history, 'acknowledged').filter((id) => !places.has(id)),
        )),
    ...shorten(
      'refused and stored',
      idsWith(history, 'refused').filter((id) => places.has(id)),
    ),
    ...[...history.readers.keys()].flatMap((reader) => checkReader(history, reader, places)),
  ];
}

function checkReader(history: History, reader: string, places: ReadonlyMap<string, number>): string[] {
  const wrong: string[] = [];
  let previous: number | undefined;
  let mayJump = true;
  for (const seen of history.readers.get(reader) ?? []) {
    if ('gap' in seen) {
      mayJump = true;
      continue;
    }
    const place = places.get(seen.id);
    if (place === undefined) wrong.push(`${seen.id} is not in the log`);
    else if (previous !== undefined && place <= previous) wrong.push(`${seen.id} came again, or too late`);
    else if (previous !== undefined && !mayJump && place !== previous + 1) {
      wrong.push(`${place - previous - 1} missing before ${seen.id}`);
    }
    if (place !== undefined) previous = place;
    mayJump = false;
  }
  return shorten(`reader ${reader}`, wrong);
}

function idsWith({ answers }: History, wanted: string): string[] {
  return [...answers].filter(([, answer]) => answer === wanted).map(([id]) => id);
}

function duplicatesOf(ids: readonly string[]): string[] {
  const known = new Set<string>();
  return ids.filter((id) => known.size === known.add(id).size);
}

function shorten(what: string, wrong: readonly string[]): string[] {
  const more = wrong.length > SHOWN ? [`${what}: ${wrong.length - SHOWN} more`] : [];
  return [...wrong.slice(0, SHOWN).map((one) => `${what}: ${one}`), ...more];
}
