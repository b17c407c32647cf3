import { subscriberToken } from '../../support/hub.js';
import type { Wishes } from './wishes.js';

/** Somebody who reads in a tab. */
export interface Person {
  readonly name: string;
  /** Absent for somebody who has not logged in. */
  readonly subject?: string;
  /** The topics whose private updates they may read, by their letters. */
  readonly grants: readonly string[];
}

/** Two of them are one person whose pages have tokens for different topics. */
export const PEOPLE: readonly Person[] = [
  { name: 'ann', subject: 'ann', grants: ['a', 'b'] },
  { name: 'bob', subject: 'bob', grants: ['b'] },
  { name: 'ann at another page', subject: 'ann', grants: ['c'] },
  { name: 'nobody', grants: [] },
];

/** Milliseconds that a brief token is good for: a token's end is a whole second. */
const BRIEFLY = 2_500;

/** A token of theirs; none for somebody who has not logged in. */
export async function tokenOf(
  { subject, grants }: Person,
  wishes: Wishes,
  isBrief: boolean,
): Promise<string | undefined> {
  if (subject === undefined) return undefined;
  const topics = grants.map((letter) => ({ match: wishes.toTopic(letter) }));
  return subscriberToken({ subject, topics, expires: isBrief ? new Date(Date.now() + BRIEFLY) : '1h' });
}
