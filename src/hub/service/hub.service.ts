import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { firstPositionOf, Journal, type Obstacle, type PresenceEntry } from '../../storage/journal/journal.js';
import { eventIdOf } from '../../storage/journal/presence-record.js';
import type { SpanCounts } from '../../shared/trace/tracer.js';
import { Administration, type PurgeCriteria } from './administration.js';
import type { ConnectionCriteria, ConnectionsPage, ConnectionsRequest, HubConnection } from './hub-connection.js';
import { Publications, type PublishOptions } from './publications.js';
import { PublishQuota } from '../limits/publish-quota.js';
import type { Connection } from '../../streams/connections/connection.js';
import type { StreamEnd } from '../../streams/registry/stream-end.js';
import type { StreamWishes } from '../../streams/registry/stream-wishes.js';
import { requestNames, type StreamInfo } from '../../streams/registry/stream-info.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { SharedState } from '../../storage/state/shared-state.js';
import { Background } from '../../shared/background.js';
import { RepeatedLines } from '../../shared/log/repeated-lines.js';
import { CatchUp } from '../delivery/catch-up.js';
import type { PublishDraft } from '../update/publish-draft.js';
import { Cursors } from '../cursors/cursors.js';
import { FanOut } from '../delivery/fan-out.js';
import { EndedReaders } from '../explain/ended-readers.js';
import { type Grants, UNLIMITED } from '../../access/grants.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import { HubError } from '../../access/hub.errors.js';
import type { Revocation } from '../../access/token-revocations.js';
import { dialectsOf } from './dialects.js';
import { Followers } from './followers.js';
import { HistoryService, type HistoryRequest, type LatestUpdates, type PastUpdates } from './history.service.js';
import { HUB_OPTIONS, type HubOptions } from './hub.options.js';
import type { HubUpdates, UpdatesOptions } from '../in-process/hub-updates.js';
import { type Match, matchersOf } from '../in-process/match.js';
import { type BatchAnswer, type BatchDraft, publishBatch } from '../in-process/publish-batch.js';
import { Interest } from '../matching/interest.js';
import { DeliveryCounts } from '../delivery/counts/delivery-counts.js';
import { Durations } from '../../shared/measures/durations.js';
import { JournalPages, type ReadCounts } from '../delivery/log/journal-pages.js';
import type { Matcher } from '../matching/matcher.js';
import { Backwards } from '../delivery/log/backwards.js';
import { Latest } from '../delivery/log/latest.js';
import { Newest } from '../delivery/log/newest.js';
import { Presence } from '../presence/presence.js';
import type { Expand } from '../delivery/log/recent-entry.js';
import { RecentLog } from '../delivery/log/recent-log.js';
import { PresenceEvents } from '../presence/presence-events.js';
import { subscriptionPath } from '../protocol/subscription-path.js';
import { Slices } from '../delivery/slices.js';
import { type Start, Starts, type Wanted } from './starts.js';
import { TopicPlans } from '../delivery/topic-plans.js';
import { Reader, type ReaderContext } from '../delivery/reader.js';

export interface SubscribeOptions {
  readonly matchers: readonly Matcher[];
  readonly grants: Grants;
  /** Where to resume from, as {@link HubService.locate} found it. */
  readonly start: Start;
  /** Whether each event is to name the topics that it was matched by. */
  readonly namesTopics?: boolean;
  /** Whether each event is to name the trace that it belongs to. */
  readonly namesTrace?: boolean;
  /** How the reader wants the stream, where that is not as all are. Without notices it has no cursors: see {@link Cursors}. */
  readonly wishes?: StreamWishes | undefined;
  /** How many offers a second it gets at most, each of the newest update of each topic. Default: all updates, at once. */
  readonly maxRate?: number | undefined;
  /** The id that the log gives to the request for this subscription. */
  readonly requestId: string;
  /** The id of the distributed trace that the request belongs to. */
  readonly traceId?: string | undefined;
  /** The address of the client, as far as proxies are trusted to tell it. */
  readonly address: string;
}

/** Which held updates are asked for, and by whom (default: by somebody who may read everything). */
export type HistoryOptions = Partial<Omit<HistoryRequest, 'matchers'>>;

/** What {@link HubService.counts} has. */
export interface HubCounts {
  readonly publications: Pick<Publications, 'outcomes' | 'toStored'>;
  readonly delivered: DeliveryCounts;
  readonly journalReads: ReadCounts;
  readonly journal: Pick<Journal, 'kind' | 'head' | 'oldest' | 'isAvailable' | 'usage'>;
  readonly recent: Pick<RecentLog, 'bytes' | 'length'>;
  readonly cohorts: number;
  readonly spans: SpanCounts;
}

const NO_SPANS: SpanCounts = { exported: 0, dropped: 0, failed: 0 };

/** Begins the stream with a text in ASCII, which is complete frames or empty. */
export type OpenConnection = (first: string) => Connection;

/** The hub: publish into the log, subscribe to it. HTTP and in-process callers take the same path. */
@Injectable()
export class HubService implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** @internal Who is subscribed; undefined where that is switched off. */
  readonly presence: Presence | undefined;
  /** @internal The connections that ended last. */
  readonly ended = new EndedReaders();
  /** Missing only in a hub that a test has made by hand, without access control. */
  @Inject(Administration) private readonly administration!: Administration;
  private readonly logger = new Logger(HubService.name);
  private readonly refusals = new RepeatedLines((line) => this.logger.warn(line));
  private readonly background = new Background();
  private readonly publications: Publications;
  private readonly recent: RecentLog;
  private readonly fanOut: FanOut;
  private readonly starts: Starts;
  private readonly stopRemovals: () => void;
  private readonly readers: ReaderContext;
  private readonly cursors: Cursors;
  private readonly followers: Followers;
  private readonly past: HistoryService;
  private readonly delivered = new DeliveryCounts();
  private readonly journalReads = { reads: new Durations(), failedReads: 0 };

  /** @internal Nest calls it. */
  constructor(
    private readonly journal: Journal,
    private readonly streams: StreamRegistry,
    private readonly state: SharedState,
    private readonly guarded: GuardedGrants,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
  ) {
    const { enabled, grace, anonymous: tellsAnonymous = true } = options.subscriptions;
    const events = new PresenceEvents({
      hubUrl: options.hubUrl,
      dialects: dialectsOf(options),
      known: dialectsOf({ legacy: true }),
    });
    this.presence = enabled ? new Presence(journal, state, { grace, events, tellsAnonymous }) : undefined;
    const expand: Expand = (entry) => events.eventsOf(entry.record, (index) => this.nameOf(entry, index));
    const log = new RecentLog(options.recentBytes, journal.head, expand);
    this.recent = log;
    this.cursors = new Cursors(journal);
    const { hubUrl, flushInterval: interval, tracer } = options;
    this.publications = new Publications(journal, guarded, { quota: new PublishQuota(options.quota), hubUrl, tracer });
    const { background } = this;
    this.fanOut = new FanOut(journal, log, this.cursors, {
      hubUrl,
      background,
      interval,
      counts: this.delivered,
      tracer,
      ...(enabled && { presenceTopics: subscriptionPath(hubUrl.pathname, ['']) }),
    });
    const pages = new JournalPages(journal, background, { expand, counts: this.journalReads });
    const slices = new Slices(pages, log, background, new TopicPlans(journal, background));
    this.readers = {
      log: this.fanOut,
      cursors: this.cursors,
      catchUp: new CatchUp(journal, this.fanOut, slices, background, streams.outstanding),
      onOver: (reader) => this.letGo(reader),
      onClosed: (reader, reason) => this.noteClosed(reader, reason),
    };
    this.stopRemovals = journal.onRemoved((positions) => {
      this.fanOut.remove(positions);
      pages.clear();
      slices.clear();
    });
    const backwards = new Backwards(log, pages);
    this.starts = new Starts({
      journal,
      fanOut: this.fanOut,
      cursors: this.cursors,
      guarded,
      hubUrl,
      newest: new Newest(journal, backwards, background),
      latest: new Latest(journal, backwards, background),
    });
    const { readers, fanOut, starts } = this;
    this.followers = new Followers({ readers, fanOut, starts, guarded, streams, hubUrl });
    this.past = new HistoryService(journal, guarded, options);
  }

  /** An id of the newest event, for those who want to know later what has come after it (R80). */
  get lastEventId(): string {
    const { newestPlace } = this.starts;
    if (newestPlace.position === 0) return 'earliest';
    return this.fanOut.newestUpdateId ?? this.cursors.fixedName(newestPlace);
  }

  /** The id of this process for as long as it runs, as `/admin/processes` lists it. */
  get processId(): string {
    return this.state.processId;
  }

  /** The position of the newest update. */
  get head(): number {
    return this.journal.head;
  }

  /** @internal What this process has done since it began, and what it holds now. */
  get counts(): HubCounts {
    const { publications, delivered, journalReads, journal, fanOut, recent } = this;
    const spans = this.options.tracer?.counts ?? NO_SPANS;
    return { publications, delivered, journalReads, journal, recent, cohorts: fanOut.cohortCount, spans };
  }

  /** Why publishing can't be expected to work now, where something is known to be in its way. */
  get obstacle(): Obstacle | undefined {
    return this.journal.obstacle;
  }

  /**
   * Stores an update and answers with its id. Everybody who subscribed to one of its topics gets it.
   * @throws {HubError} when the update is refused; {@link JournalUnavailableError} when it can't be stored. Nothing is
   * stored then.
   */
  publish(draft: PublishDraft, options: PublishOptions = {}): Promise<string> {
    return this.publications.add(draft, options);
  }

  /**
   * @internal
   * The same, but an update that is refused throws at once, and one that is stored at once, as in memory, needs no promise.
   */
  publishAtOnce(draft: PublishDraft, options: PublishOptions): string | Promise<string> {
    return this.publications.addAtOnce(draft, options);
  }

  /**
   * Publishes many updates in order, and resolves with an answer for each of them: one that is refused stops no other. The
   * source is read only as fast as the journal takes what comes from it. Answers are kept until the end, so a source that
   * has none is published in parts.
   * @throws what the source throws, once what came from it before is stored or refused.
   */
  publishBatch(
    drafts: Iterable<BatchDraft> | AsyncIterable<BatchDraft>,
    options: Pick<PublishOptions, 'grants'> = {},
  ): Promise<BatchAnswer[]> {
    return publishBatch(drafts, {
      publish: (draft, idempotencyKey) => this.publish(draft, { grants: options.grants ?? UNLIMITED, idempotencyKey }),
      giveWay: () => this.giveWay(),
    });
  }

  /**
   * The updates of some topics as they come, or from a place in the log on: see {@link HubUpdates}.
   * @throws {HubError} for a matcher, or a number of updates, that is refused.
   */
  updates(match: Match, options: UpdatesOptions = {}): HubUpdates {
    return this.followers.updates(matchersOf(match, this.options.hubUrl), options);
  }

  /**
   * Held updates of some topics, a page at a time: the newest first, and the oldest first after an id.
   * @throws {HubError} `id-not-held`, or for a matcher; {@link JournalUnavailableError} when the journal can't be read.
   */
  async history(match: Match, options: HistoryOptions = {}): Promise<PastUpdates> {
    const matchers = matchersOf(match, this.options.hubUrl);
    return this.past.find({ grants: UNLIMITED, ...options, matchers });
  }

  /**
   * The newest held update of each topic that is matched, among those that `grants` let one read (default: all).
   * @throws {HubError} for a matcher; {@link JournalUnavailableError} when the journal can't be read.
   */
  async latest(match: Match, { grants = UNLIMITED }: Pick<PublishOptions, 'grants'> = {}): Promise<LatestUpdates> {
    const wanted = { matchers: matchersOf(match, this.options.hubUrl), grants, isOver: () => false };
    const { plan, truncatedTo } = await this.starts.locateLatest(wanted, false);
    const { updates, isComplete } = await this.past.at(plan?.positions ?? [], wanted);
    return { updates, isComplete: isComplete && truncatedTo === undefined };
  }

  /** The open streams of this process, those of `@Sse()` handlers as well, a page at a time. */
  connections(request?: ConnectionsRequest): ConnectionsPage {
    return this.administration.connections(request);
  }

  /** An open stream of this process, with what it is subscribed to; undefined where it is not open (any more). */
  connection(id: number): HubConnection | undefined {
    return this.administration.connection(id);
  }

  /**
   * Ends streams of this process, and tells how many there were. A client that may still connect comes back: revoke its
   * token, or end its session, before.
   * @throws {HubError} `criteria-missing`
   */
  disconnect(criteria: ConnectionCriteria): number {
    return this.administration.disconnect(criteria);
  }

  /**
   * Revokes the tokens of which all that is given is true, at all processes of the hub: from now on they are refused, and
   * the streams that were opened with them end. Resolves with the number of those that this process has ended.
   * @throws {HubError} `criteria-missing`, also for a subject without its issuer where several are trusted, or
   * `revocations-too-many`; {@link JournalUnavailableError} when it can't be stored.
   */
  revoke(revocation: Revocation): Promise<number> {
    return this.administration.revoke(revocation);
  }

  /**
   * Takes held updates out of the history for good, at all processes, and resolves with their number.
   * @throws {HubError} `criteria-missing`, `criteria-invalid` for the wildcard, or `matcher-invalid` for a pattern that is
   * none; {@link JournalUnavailableError} when the journal can't be reached: some may have been taken out then.
   */
  purge(criteria: PurgeCriteria): Promise<number> {
    return this.administration.purge(criteria);
  }

  /**
   * @internal
   * Refuses a publication while this process has more to do than it can.
   * @throws {HubError} `overloaded`
   */
  checkPressure(): void {
    if (!this.streams.pressure.shedsPublications) return;
    throw new HubError('overloaded', 'The hub has more to do than it can: publish this again later.');
  }

  /** @internal Does work of any length in turns with other work: see {@link Background.run}. */
  inTurns<T>(steps: Iterator<void, T>): Promise<T>;
  /** @internal */
  inTurns<T>(steps: Iterator<void, T>, isOver: () => boolean): Promise<T | undefined>;
  inTurns<T>(steps: Iterator<void, T>, isOver?: () => boolean): Promise<T | undefined> {
    return isOver ? this.background.run(steps, isOver) : this.background.run(steps);
  }

  /** @internal Resolves in another turn, for asynchronous work that goes on for long. */
  giveWay(): Promise<void> {
    return this.background.do(() => undefined);
  }

  /** @internal Where a subscription begins that asked to resume after `lastEventId` (R65–R69). */
  locate(lastEventId: string | undefined): Promise<Start> {
    return this.starts.locate(lastEventId);
  }

  /** @internal See {@link Starts.locateNewest}. */
  locateNewest(count: number, wanted: Wanted): Promise<Start> {
    return this.starts.locateNewest(count, wanted);
  }

  /** @internal See {@link Starts.locateLatest}. */
  locateLatest(wanted: Wanted, isGap: boolean): Promise<Start> {
    return this.starts.locateLatest(wanted, isGap);
  }

  /** The id of an event of a coming or going: a cursor, which can be read also when the record is long trimmed. */
  private nameOf(entry: PresenceEntry, index: number): string {
    return this.cursors.fixedName({
      position: firstPositionOf(entry) + index,
      id: eventIdOf(entry.record, index),
    });
  }

  /** How many readers at this process would get a public update with this topic. */
  readersOf(topic: string): Promise<number> {
    return this.background.run(this.fanOut.readersOf(topic));
  }

  /** @internal When those readers that were live had all been offered what is up to `position`: see `OfferTimes`. */
  offeredBy(position: number): number | undefined {
    return this.fanOut.offeredBy(position);
  }

  /** @internal Whether there is room for a stream of this client's, before any work is done for it. */
  admits(info: StreamInfo): boolean {
    return this.streams.admits(info);
  }

  /**
   * @internal
   * Gives a connection every update that is matched and granted, from `start` on, until it ends. Where there are too
   * many streams already, it is refused.
   */
  subscribe(open: OpenConnection, options: SubscribeOptions): Reader | undefined {
    const { matchers, start, namesTopics = false, namesTrace = false, maxRate } = options;
    const { requestId, traceId, address, wishes } = options;
    const grants = this.guarded.of(options.grants);
    const info: StreamInfo = { requestId, traceId, address, caller: grants, wishes };
    const hasCursors = wishes?.notices ?? true;
    const interest = new Interest(matchers, this.options.hubUrl);
    if (!this.streams.admits(info) || !this.fanOut.accepts(interest)) return this.refuse(open, info);
    const beginning = this.starts.beginningOf(start, hasCursors);
    const connection = open(beginning.first);
    connection.info = info;
    const cohort = this.fanOut.cohortFor(interest, grants, { namesTopics, namesTrace, hasCursors, maxRate });
    const reader = new Reader(connection, cohort, beginning, this.readers);
    this.logger.debug({ msg: 'stream opened', ...requestNames(info) });
    if (start.isGap) reader.missId();
    if (start.truncatedTo !== undefined) reader.truncate(start.truncatedTo);
    this.streams.add(connection);
    // The registry may have had a reason to end it at once.
    if (reader.state === 'over') return reader;
    const lease = { address, isResuming: start.lastEventId !== undefined };
    reader.lease = this.presence?.enter(cohort.interest, grants, lease);
    reader.begin();
    return reader;
  }

  /** @internal Begins a stream only to end it: any status but 200 would stop a native `EventSource` for good. */
  refuse(open: OpenConnection, info: StreamInfo, reason: 'overloaded' | 'unavailable' = 'overloaded'): undefined {
    const connection = open('');
    connection.info = info;
    this.streams.refuse(connection, reason);
    if (reason !== 'overloaded') return;
    this.refusals.log({ msg: 'stream refused: too many', ...requestNames(info), address: info.address });
  }

  /** Nest calls this after the streams were told to end, and before the journal is closed, which `Presence` needs. */
  async beforeApplicationShutdown(): Promise<void> {
    this.followers.close();
    await this.presence?.close();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopRemovals();
    this.fanOut.close();
    await this.state.close();
    await this.journal.close();
    await this.options.tracer?.close();
  }

  private letGo({ cohort, lease }: Reader): void {
    this.presence?.leave(lease);
    this.fanOut.release(cohort);
  }

  private noteClosed(reader: Reader, reason: StreamEnd): void {
    const { connection } = reader;
    this.ended.note(reader, reason);
    this.streams.delete(connection, reason);
    const age = Math.round(performance.now() - connection.openedAt);
    this.logger.debug({ msg: 'stream closed', ...requestNames(connection.info), reason, age });
  }
}
