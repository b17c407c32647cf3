import { RESOURCE } from '../tokens.js';

/** Where all topics of a soak lie. */
export const SITE = 'https://soak.example/';

const SUBSCRIPTIONS = `${new URL(RESOURCE).pathname}/subscriptions`;

/** Readers that share a room. */
const ROOM = 100;

/** One of so many gets large updates, and the first few are told of everybody who comes and goes. */
const HEAVY_EVERY = 250;
const OBSERVERS = 3;

/** Who a reader is: what it asks for, and what it has to get. */
export interface Person {
  readonly subject: string;
  /** Parameters of the subscription. */
  readonly query: string;
  /** Matchers that its token has. */
  readonly granted: readonly { readonly match: string; readonly match_type?: string }[];
  /** Topics, without the site, of which every update is checked. */
  readonly topics: readonly string[];
  readonly isHeavy: boolean;
  readonly isConflated: boolean;
  readonly hasState: boolean;
}

export const heavyTopic = 'heavy';

export function ownTopic(seat: number, generation: number): string {
  return `users/${seat}-${generation}`;
}

export function roomTopic(room: number): string {
  return `rooms/${room}/news`;
}

export function roomsFor(readers: number): number {
  return Math.max(1, Math.floor(readers / ROOM));
}

/**
 * Who sits at a seat now. Everybody follows a room, which is shared, and a topic of their own, which is new with each
 * generation; a few do so by patterns, at a lower rate or from the newest state on.
 */
export function personAt(seat: number, generation: number, readers: number): Person {
  const subject = `user-${seat}-${generation}`;
  const common = { subject, isHeavy: false, isConflated: false, hasState: false };
  if (seat < Math.min(OBSERVERS, readers / 10)) {
    const everybody = { match: `${SUBSCRIPTIONS}{/*}?`, match_type: 'urlpattern' };
    return { ...common, topics: [], granted: [everybody], query: query({ match_urlpattern: everybody.match }) };
  }
  const own = ownTopic(seat, generation);
  const isHeavy = seat % HEAVY_EVERY === 5;
  const room = seat % roomsFor(readers);
  const shared = isHeavy ? heavyTopic : roomTopic(room);
  const topics = [own, shared];
  const granted = topics.map((topic) => ({ match: SITE + topic }));
  const isConflated = !isHeavy && seat % 32 === 7;
  const hasState = !isHeavy && seat % 32 === 8;
  const wishes = { ...(isConflated && { max_rate: '1' }), ...(hasState && { begin: 'latest' }) };
  const matchers = isHeavy ? { match: SITE + shared } : matcherOf(seat, room);
  return {
    ...common,
    isHeavy,
    isConflated,
    hasState,
    topics,
    granted,
    query: `match=${encodeURIComponent(SITE + own)}&${query({ ...matchers, ...wishes })}`,
  };
}

/** Most name the room; some have a pattern that is looked up, and a few one that has to be evaluated. */
function matcherOf(seat: number, room: number): Readonly<Record<string, string>> {
  if (seat % 50 === 11) return { match_urlpattern: `${SITE}rooms/(${room})/news` };
  if (seat % 10 === 3) return { match_urlpattern: `${SITE}rooms/${room}/:what` };
  return { match: SITE + roomTopic(room) };
}

function query(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}
