import type { Grants } from '../../access/grants.js';
import type { GuardedGrants } from '../../access/guarded-grants.js';
import type { Journal } from '../../storage/journal/journal.js';
import { cursorText } from '../../streams/frames/frame.js';
import { type Cursors, isCursor, type Place } from '../cursors/cursors.js';
import { mayRead } from '../delivery/cohort.js';
import type { FanOut } from '../delivery/fan-out.js';
import type { Latest } from '../delivery/log/latest.js';
import type { Newest, Search } from '../delivery/log/newest.js';
import type { Found } from '../delivery/log/wanted-positions.js';
import type { ReaderStart } from '../delivery/reader.js';
import { Interest } from '../matching/interest.js';
import type { Matcher } from '../matching/matcher.js';

/** Where a subscription begins. */
export interface Start {
  /** The place after which it begins; undefined for "what comes from now on". */
  readonly place: Place | undefined;
  /** Which history of the log the place belongs to: see {@link FanOut.history}. */
  readonly history: number;
  /** Whether the client asked for a replay, and is told when it's over. */
  readonly isResuming: boolean;
  /** Whether the client asked for an id that is not held (any more). */
  readonly isGap: boolean;
  /** The id that stands for that place: an update's, a cursor, or `earliest` (R69). Undefined for "from now on". */
  readonly lastEventId: string | undefined;
  /** The only updates that are sent up to a position. Default: all that the subscription matches. */
  readonly plan?: Found;
  /** How many topics the plan is of, where there are more. */
  readonly truncatedTo?: number | undefined;
}

/** The start of a subscription to what comes from now on. Without a place, the history does not matter. */
const FROM_NOW: Start = { place: undefined, history: 0, isResuming: false, isGap: false, lastEventId: undefined };

/** What somebody wants to find in the log. */
export interface Wanted {
  readonly matchers: readonly Matcher[];
  readonly grants: Grants;
  /** Whether nobody waits for it any more. */
  readonly isOver: () => boolean;
}

/** How a reader begins, with its stream. */
interface Beginning extends ReaderStart {
  /** What the stream begins with: the cursor of a reader that begins live, or nothing. */
  readonly first: string;
}

/** What finding a start needs of the hub. */
interface StartsContext {
  readonly journal: Journal;
  readonly fanOut: FanOut;
  readonly cursors: Cursors;
  readonly guarded: GuardedGrants;
  readonly hubUrl: URL;
  readonly newest: Newest;
  readonly latest: Latest;
}

/** Finds out where subscriptions begin. */
export class Starts {
  constructor(private readonly context: StartsContext) {}

  /** The place of the newest entry. */
  get newestPlace(): Place {
    const position = this.context.fanOut.head;
    return { position, id: this.context.fanOut.idAt(position) };
  }

  /** The start of a subscription to what comes after this moment. */
  get now(): Start {
    return { ...FROM_NOW, place: this.newestPlace, history: this.context.fanOut.history };
  }

  /** Where a subscription begins that asked to resume after `lastEventId` (R65–R69). */
  async locate(lastEventId: string | undefined): Promise<Start> {
    if (lastEventId === undefined) return FROM_NOW;
    const { history } = this.context.fanOut;
    if (lastEventId === '') return this.startAt(this.newestPlace, { history, isResuming: false, isGap: false });
    const start = await this.locateHeld(lastEventId);
    // The place may belong to the history that has begun meanwhile: it would count as lost in the one before.
    return start.history === this.context.fanOut.history ? start : this.locate(lastEventId);
  }

  private async locateHeld(lastEventId: string): Promise<Start> {
    const { history } = this.context.fanOut;
    const position = await this.context.journal.locate(lastEventId);
    const place = position === undefined ? await this.placeOfCursor(lastEventId) : { position, id: lastEventId };
    if (place) return { place, history, isResuming: true, isGap: false, lastEventId };
    // The id is not held, or it is `earliest`, which no update has. `oldest` is up to date after `locate`.
    const oldest = { position: this.context.journal.oldest - 1, id: undefined };
    const isGap = lastEventId !== 'earliest';
    return { history, place: oldest, isResuming: true, isGap, lastEventId: 'earliest' };
  }

  /**
   * Where a subscription begins that asked for the newest `count` updates which it matches and may read, as far as these
   * are among the newest `HUB_LIMITS.lastLookedThrough`. The search stops once `isOver` says that nobody waits for it.
   */
  async locateNewest(count: number, wanted: Wanted): Promise<Start> {
    const { newestPlace } = this;
    const search = this.searchFor(wanted);
    const first = await this.context.newest.find(count, search);
    const place = first ? { position: first.position - 1, id: first.before } : newestPlace;
    return this.startAt(place, { history: search.history, isResuming: true, isGap: false });
  }

  /**
   * Where a subscription begins that asked for the newest update of each topic: with these updates alone, up to the head
   * of the log, and with everything from there on.
   * @param isGap whether the client also asked for an id that is not held.
   */
  async locateLatest(wanted: Wanted, isGap: boolean): Promise<Start> {
    const { newestPlace } = this;
    const search = this.searchFor(wanted);
    const latest = await this.context.latest.find(search);
    const [first] = latest?.positions ?? [];
    const place = first === undefined ? newestPlace : { position: first - 1, id: this.context.fanOut.idAt(first - 1) };
    const start = this.startAt(place, { history: search.history, isResuming: true, isGap });
    if (first === undefined || !latest) return start;
    return { ...start, plan: { positions: latest.positions, upTo: search.head }, truncatedTo: latest.truncatedTo };
  }

  /** How a reader begins at a start, now. */
  beginningOf(start: Start, hasCursors: boolean): Beginning {
    const { fanOut, cursors } = this.context;
    const { place = this.newestPlace, isResuming } = start;
    const history = start.place ? start.history : fanOut.history;
    const isLive = history === fanOut.history && place.position >= fanOut.head;
    const isGreeted = hasCursors && !isResuming && isLive;
    return {
      cursor: place.position,
      id: place.id,
      history,
      plan: start.plan,
      greeting: greetingOf(isResuming, hasCursors && !isGreeted),
      first: isGreeted ? cursorText(cursors.name(place)) : '',
    };
  }

  private searchFor({ matchers, grants, isOver }: Wanted): Search {
    const { head, history } = this.context.fanOut;
    const interest = new Interest(matchers, this.context.hubUrl);
    const guarded = this.context.guarded.of(grants);
    const seesPresence = this.context.fanOut.showsPresence(interest, guarded);
    return { head, history, interest, mayRead: (update) => mayRead(update, guarded), seesPresence, isOver };
  }

  /** A start at a place that the client does not know yet, and gets a cursor for. */
  private startAt(place: Place, start: Pick<Start, 'history' | 'isResuming' | 'isGap'>): Start {
    return { ...start, place, lastEventId: this.context.cursors.name(place) };
  }

  private async placeOfCursor(lastEventId: string): Promise<Place | undefined> {
    return isCursor(lastEventId) ? this.context.cursors.locate(lastEventId) : undefined;
  }
}

/** What a reader is told when it is live for the first time. */
function greetingOf(isResuming: boolean, needsCursor: boolean): ReaderStart['greeting'] {
  if (isResuming) return 'caught-up';
  return needsCursor ? 'cursor' : undefined;
}
