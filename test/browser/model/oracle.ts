import type { Entry } from './page.js';
import { PEOPLE } from './people.js';
import type { Publication } from './publications.js';
import type { Wish, Wishes } from './wishes.js';

/** Milliseconds for which what was published before the reader changed may still come. */
const IN_FLIGHT = 2_000;

/** What a subscription is judged by. */
export interface Reading {
  readonly name: string;
  readonly wish: Wish;
  /** Its number in its tab. */
  readonly subscription: number;
  /** Who read first: the place in the list of people. */
  readonly person: number;
  /** All that its tab has seen. */
  readonly entries: readonly Entry[];
  /** Whether it was stopped, or its tab was killed. */
  readonly isOver: boolean;
}

/** From when on who reads. */
interface Term {
  readonly at: number;
  readonly person: number;
}

/**
 * Knows what was published, and so what a subscription must get and what it may get:
 *
 *  - From when it is live until it is stopped or its tab is killed, whatever happens in between, it gets each update that
 *    matches and that the tab's person may read: once, and in the order of the hub. Of what is published around its
 *    beginning and its end it may get a part, without holes.
 *  - Nothing else comes: no update that its person may not read, none that does not match, none with a topic that it has
 *    not asked for or the update has not, and nothing after it was stopped.
 *  - When another person reads, what only the former one may read does not come any more, if it was published from then
 *    on; what both may read has no holes; and what was published before, and only one of them may read, may come or not.
 *  - The hub keeps all, so nobody is told of a gap. Should somebody be told, only what follows is missed besides.
 *  - A subscription that the hub refuses is `refused`, and gets nothing; no other one is.
 */
export class Oracle {
  private readonly places: ReadonlyMap<string, number>;

  constructor(
    private readonly publications: readonly Publication[],
    private readonly wishes: Wishes,
  ) {
    this.places = new Map(publications.map(({ id }, index) => [id, index]));
  }

  /** The ids that must still come, in order. */
  outstanding(reading: Reading): string[] {
    if (reading.isOver || reading.wish.isBad) return [];
    const got = new Set(messagesOf(reading).map(({ detail }) => detail));
    return this.musts(reading).filter((id) => !got.has(id));
  }

  /** Whether it is not yet what it ought to be: live, or refused. */
  isStuck(reading: Reading): boolean {
    if (reading.isOver) return false;
    return reading.wish.isBad ? statesOf(reading).at(-1) !== 'refused' : liveSince(reading) === Infinity;
  }

  /** All that is wrong with what has come, and with what has not. */
  faultsOf(reading: Reading): string[] {
    return [
      ...(this.isStuck(reading) ? [reading.wish.isBad ? 'is not refused' : 'has not become live'] : []),
      ...this.misdelivered(reading),
      ...this.disordered(reading),
      ...this.holes(reading),
      ...stateFaults(reading),
    ];
  }

  /** Those that must have come at the end, if it is not over. */
  private musts(reading: Reading): string[] {
    const since = liveSince(reading);
    const terms = termsOf(reading);
    return this.publications
      .filter((one) => one.sentAt > since && one.topics.some((letter) => reading.wish.wants(letter)))
      .filter(({ sentAt, ...one }) => {
        const first = terms.findLastIndex(({ at }) => at < sentAt);
        return terms.slice(Math.max(first, 0)).every(({ person }) => mayRead(person, one));
      })
      .map(({ id }) => id);
  }

  private holes(reading: Reading): string[] {
    const messages = messagesOf(reading);
    const got = new Set(messages.map(({ detail }) => detail));
    const reached = Math.max(-1, ...messages.map(({ detail = '' }) => this.places.get(detail) ?? -1));
    return this.musts(reading)
      .filter((id) => !got.has(id) && (!reading.isOver || (this.places.get(id) ?? 0) < reached))
      .map((id) => `${this.describe(id)} did not come`);
  }

  private disordered(reading: Reading): string[] {
    const wrong: string[] = [];
    const seen = new Set<string>();
    let reached = -1;
    for (const { detail: id = '' } of messagesOf(reading)) {
      const place = this.places.get(id) ?? -1;
      if (seen.has(id)) wrong.push(`${this.describe(id)} came twice`);
      else if (place < reached) wrong.push(`${this.describe(id)} came after ${this.publications[reached]?.id}`);
      seen.add(id);
      reached = Math.max(reached, place);
    }
    return wrong;
  }

  private misdelivered(reading: Reading): string[] {
    const terms = termsOf(reading);
    const wrong: string[] = [];
    for (const { at, detail: id = '', topic = '' } of messagesOf(reading)) {
      const letter = this.wishes.toLetter(topic) ?? '';
      const publication = this.publications[this.places.get(id) ?? -1];
      if (!publication?.topics.includes(letter) || !reading.wish.wants(letter)) {
        wrong.push(`${this.describe(id)} came as one on "${letter || topic}"`);
      }
      if (publication && !mayCome(publication, at, terms)) {
        wrong.push(`${this.describe(id)} came to somebody who may not read it`);
      }
    }
    return wrong;
  }

  private describe(id: string): string {
    const publication = this.publications[this.places.get(id) ?? -1];
    if (!publication) return `${id} (which nobody has published)`;
    const { topics, isPrivate } = publication;
    return `${id} (${isPrivate ? 'private' : 'public'} on ${topics.join(' and ')})`;
  }
}

/** Whether an update may come at that time. One that was published before a change of who reads may still be under way. */
function mayCome(publication: Publication, at: number, terms: readonly Term[]): boolean {
  const now = Math.max(
    terms.findLastIndex((term) => term.at <= at),
    0,
  );
  return terms.some(
    ({ person }, index) =>
      mayRead(person, publication) &&
      (index === now ||
        (index < now &&
          publication.sentAt <= (terms[index + 1]?.at ?? 0) &&
          at - (terms[index + 1]?.at ?? 0) < IN_FLIGHT)),
  );
}

function mayRead(person: number, { topics, isPrivate }: Pick<Publication, 'topics' | 'isPrivate'>): boolean {
  return !isPrivate || topics.some((letter) => PEOPLE[person]?.grants.includes(letter));
}

function messagesOf({ entries, subscription }: Reading): Entry[] {
  return entries.filter((entry) => entry.what === 'message' && entry.subscription === subscription);
}

/** From when on nothing may be missing: since it has become live, or was told of a gap. */
function liveSince({ entries, subscription }: Reading): number {
  const own = entries.filter((entry) => entry.subscription === subscription);
  const gap = own.findLast(({ what }) => what === 'gap');
  return (gap ?? own.find(({ what }) => what === 'live'))?.at ?? Infinity;
}

function termsOf({ entries, person }: Reading): Term[] {
  const changes = entries.flatMap(({ at, person: next }) => (next === undefined ? [] : [{ at, person: next }]));
  return [{ at: -Infinity, person }, ...changes];
}

/** What it has said of itself. */
function statesOf({ entries, subscription }: Reading): (string | undefined)[] {
  const own = entries.filter((entry) => entry.subscription === subscription && entry.what === 'state');
  return own.map(({ detail }) => detail);
}

function stateFaults(reading: Reading): string[] {
  const own = reading.entries.filter(({ subscription }) => subscription === reading.subscription);
  const wrong = own.filter(({ what }) => what === 'gap').map(({ detail }) => `was told of a gap: ${detail}`);
  if (own.some(({ what }) => what === 'stopped') && own.at(-1)?.what === 'message') {
    wrong.push('got a message after it was stopped');
  }
  if (!reading.wish.isBad && statesOf(reading).includes('refused')) wrong.push('was refused');
  if (reading.wish.isBad && own.some(({ what }) => what === 'live')) wrong.push('is live, although the hub refuses it');
  return wrong;
}
