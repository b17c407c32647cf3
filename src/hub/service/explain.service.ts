import { Inject, Injectable } from '@nestjs/common';
import { Background } from '../../shared/background.js';
import { type Entry, isPresence, isWhole, Journal } from '../../storage/journal/journal.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { type Asked, askedOf, endedOf, type OpenFacts, isoOf, wallTime } from '../explain/asked.js';
import { type NearMiss, nearMissesOf } from '../explain/near-misses.js';
import { sentenceOf } from '../explain/sentence.js';
import { type Verdict, verdictOf } from '../explain/verdict.js';
import { History } from '../history/history.js';
import { Interest } from '../matching/interest.js';
import type { Matcher } from '../matching/matcher.js';
import { HistoryService } from './history.service.js';
import { HUB_OPTIONS, type HubOptions } from './hub.options.js';
import { HubService } from './hub.service.js';

/** Connections and updates of one answer. */
const MOST_CONNECTIONS = 20;
const MOST_UPDATES = 5;

/** Topics of an update that each explanation repeats: an update may have a thousand long ones. */
const TOLD_TOPICS = 10;

export interface ExplainRequest {
  /** The update with this id, or else the newest held ones with a topic. At least one of the two. */
  readonly id?: string | undefined;
  readonly topic?: string | undefined;
  /** The connection with this number, or else the connections of a subject. At least one of the two. */
  readonly connection?: number | undefined;
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  /** Whether nobody waits for the answer any more. */
  readonly isOver: () => boolean;
}

/** Why one connection has got an update, or has not. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly summary: string;
  readonly connection: Readonly<Record<string, unknown>>;
  readonly update: Readonly<Record<string, unknown>> | undefined;
  readonly match:
    { readonly isMatched: boolean; readonly by?: Match; readonly nearMisses?: readonly NearMiss[] } | undefined;
  readonly grant: { readonly isGranted: boolean; readonly by: 'public' | 'grants' | Matcher } | undefined;
  readonly cursor: {
    readonly position: number;
    readonly began: number;
    readonly state: string;
    readonly head: number | undefined;
  };
  readonly written: Readonly<Record<string, unknown>> | undefined;
}

interface Match {
  readonly matcher: Matcher;
  readonly topic: string;
}

/** What is asked about, of which nothing may be held. */
interface Target {
  readonly entry: Entry | undefined;
  readonly topics: readonly string[];
  readonly isRemoved: boolean;
}

/** Says why connections of this process have got updates, or have not. */
@Injectable()
export class ExplainService {
  private readonly background = new Background();
  private readonly history: History;

  constructor(
    private readonly journal: Journal,
    private readonly streams: StreamRegistry,
    private readonly hub: HubService,
    private readonly past: HistoryService,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
  ) {
    this.history = new History(journal, this.background);
  }

  /**
   * An explanation for each update and connection that is meant, the newest of both first and not all where they are
   * many. Empty where this process has, and lately had, no such connection.
   * @throws {JournalUnavailableError} when the journal can't be read.
   */
  async explain(request: ExplainRequest): Promise<Explanation[]> {
    const asked = this.connectionsOf(request);
    if (asked.length === 0) return [];
    const explanations: Explanation[] = [];
    for (const target of await this.targetsOf(request)) {
      for (const one of asked) {
        if (request.isOver()) return explanations;
        // oxlint-disable-next-line no-await-in-loop -- one after the other, because patterns may take long
        explanations.push(await this.explainOne(target, one, request.isOver));
      }
    }
    return explanations;
  }

  private connectionsOf({ connection, subject, issuer }: ExplainRequest): Asked[] {
    const { hubUrl } = this.options;
    const isMeant = (caller: { subject?: string | undefined; issuer?: string | undefined }): boolean =>
      (subject === undefined || caller.subject === subject) && (issuer === undefined || caller.issuer === issuer);
    const open: Asked[] = [];
    for (const stream of this.streams.after((connection ?? 1) - 1)) {
      if (connection !== undefined && stream.serial !== connection) break;
      const asked = isMeant(stream.info.caller) ? askedOf(stream) : undefined;
      if (asked) open.push(asked);
    }
    const ended = connection === undefined ? this.hub.ended.latest() : [this.hub.ended.get(connection) ?? []].flat();
    const rows = ended.filter(isMeant).slice(0, MOST_CONNECTIONS);
    return [...open.slice(-MOST_CONNECTIONS).toReversed(), ...rows.map((row) => endedOf(row, hubUrl))].slice(
      0,
      MOST_CONNECTIONS,
    );
  }

  private async targetsOf({ id, topic, isOver }: ExplainRequest): Promise<Target[]> {
    const entries = id === undefined ? await this.newestOn(topic ?? '', isOver) : await this.withId(id);
    if (entries.length > 0) {
      return entries.map((entry) => ({ entry, topics: entry.update.topics, isRemoved: false }));
    }
    const isRemoved = id !== undefined && this.past.removedIds.when(id) !== undefined;
    return [{ entry: undefined, topics: topic === undefined ? [] : [topic], isRemoved }];
  }

  private async withId(id: string): Promise<Entry[]> {
    const position = await this.journal.locate(id);
    if (position === undefined) return [];
    const { entries } = await this.journal.readAt([position]);
    return entries.flatMap((entry) => (!isPresence(entry) && isWhole(entry) ? [entry] : []));
  }

  /** The newest held updates with a topic that come after `after` and up to a position, the newest first. */
  private async newestOn(
    topic: string,
    isOver: () => boolean,
    { after = 0, upTo = this.journal.head, limit = MOST_UPDATES } = {},
  ): Promise<readonly Entry[]> {
    const interest = new Interest([{ type: 'exact', pattern: topic }], this.options.hubUrl);
    const all = { interest, mayRead: () => true, order: 'newest-first', isOver } as const;
    const { entries } = await this.history.page({ ...all, after, before: upTo + 1, limit });
    return entries;
  }

  private async explainOne(target: Target, asked: Asked, isOver: () => boolean): Promise<Explanation> {
    const { entry, topics, isRemoved } = target;
    const { told, reason, began, cursor, isConflated, open } = asked;
    const match = await this.matchOf(asked.interest, topics, isOver);
    const grant = entry && grantOf(entry, asked, this.options.hubUrl);
    const isSuperseded = entry !== undefined && (await this.isSuperseded(entry, asked, isOver));
    const judged = { isMatched: match?.isMatched, isGranted: grant?.isGranted, isSuperseded };
    const verdict = verdictOf({ ...judged, position: entry?.position, isRemoved, began, cursor, isEnded: !open });
    const said = { verdict, now: Date.now(), open, reason, isConflated, cursor, isMatched: judged.isMatched };
    return {
      verdict,
      summary: sentenceOf({ ...said, nearMisses: match?.nearMisses ?? [] }),
      connection: told,
      update: entry && toldOf(entry),
      match,
      grant,
      cursor: placeOf(asked),
      written: verdict === 'written' ? this.writtenOf(entry, open) : undefined,
    };
  }

  /** Undefined where nobody knows what is to match, or what it was to match. */
  private async matchOf(
    interest: Interest | undefined,
    topics: readonly string[],
    isOver: () => boolean,
  ): Promise<Explanation['match']> {
    if (!interest || topics.length === 0) return undefined;
    const { hubUrl } = this.options;
    const by = await this.background.run(matchIn(interest, topics, hubUrl), isOver);
    if (by) return { isMatched: true, by };
    const nearMisses = await this.background.run(nearMissesOf(interest.matchers, topics, hubUrl), isOver);
    return { isMatched: false, nearMisses: nearMisses ?? [] };
  }

  /** Whether a reader that gets the newest updates alone has passed a newer one on each topic by which this one is matched. */
  private async isSuperseded({ position, update }: Entry, asked: Asked, isOver: () => boolean): Promise<boolean> {
    const { interest, isConflated, began, cursor, latestUpTo } = asked;
    const isOffered = isConflated && position > began;
    if (!interest || (!isOffered && position > latestUpTo)) return false;
    const upTo = isOffered ? cursor : Math.min(cursor, latestUpTo);
    const topics = update.topics.filter((topic) => interest.includes([topic]));
    for (const topic of topics.slice(0, MOST_UPDATES)) {
      // oxlint-disable-next-line no-await-in-loop -- mostly one
      const newer = await this.newestOn(topic, isOver, { after: position, upTo, limit: MOST_UPDATES });
      if (!newer.some((one) => asked.mayRead(one.update))) return false;
    }
    return topics.length > 0;
  }

  private writtenOf(entry: Entry | undefined, open: OpenFacts | undefined): Explanation['written'] {
    if (!open || !entry) return undefined;
    const offeredBy = open.isTimed ? this.hub.offeredBy(entry.position) : undefined;
    const known = offeredBy === undefined ? undefined : wallTime(offeredBy);
    return {
      after: isoOf(Math.max(open.openedAt, entry.storedAt ?? 0)),
      before: isoOf(open.lastWriteAt),
      // A reader that was behind at that time got it later.
      ...(known !== undefined && known >= open.openedAt && { liveReadersBy: isoOf(known) }),
      isTaken: open.unsent === 0,
      unsentBytes: open.unsent,
    };
  }
}

/** Undefined where it is no longer known. */
function grantOf({ update }: Entry, asked: Asked, hubUrl: URL): Explanation['grant'] {
  if (!update.private) return { isGranted: true, by: 'public' };
  const isGranted = asked.mayRead(update);
  if (isGranted === undefined) return undefined;
  const by = asked.readMatchers?.find((matcher) => new Interest([matcher], hubUrl).includes(update.topics));
  return { isGranted, by: by ?? 'grants' };
}

function placeOf({ cursor, began, open }: Asked): Explanation['cursor'] {
  return { position: cursor, began, state: open?.state ?? 'over', head: open?.head };
}

function toldOf({ position, update, storedAt }: Entry): Readonly<Record<string, unknown>> {
  const { id, topics, private: isPrivate } = update;
  return {
    id,
    topics: topics.slice(0, TOLD_TOPICS),
    topicCount: topics.length,
    private: isPrivate,
    position,
    time: storedAt === undefined ? undefined : isoOf(storedAt),
  };
}

/** The first matcher that matches one of the topics, in steps of one pattern each. */
function* matchIn(interest: Interest, topics: readonly string[], hubUrl: URL): Generator<void, Match | undefined> {
  if (!(yield* interest.search(topics))) return undefined;
  for (const matcher of interest.matchers) {
    const one = new Interest([matcher], hubUrl);
    for (const topic of topics) {
      if (yield* one.search([topic])) return { matcher, topic };
      yield;
    }
  }
  return undefined;
}
