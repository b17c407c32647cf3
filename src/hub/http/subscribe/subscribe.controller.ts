import { Controller, Get, Inject, QueryMethod, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { type FrameworkReply, hubReplyOf, whenSent } from '../../../shared/exchange/exchange.js';
import type { HubReply } from '../../../shared/exchange/hub-reply.js';
import type { HubRequest } from '../../../shared/exchange/hub-request.js';
import { GrantsOfRequest, SubscribeGuard } from '../../../access/guards.js';
import { JournalUnavailableError } from '../../../storage/journal/journal.js';
import { EVENT_STREAM } from '../../../streams/frames/frame.js';
import { StreamRegistry } from '../../../streams/registry/stream-registry.js';
import type { StreamInfo } from '../../../streams/registry/stream-info.js';
import type { Grants } from '../../../access/grants.js';
import { dialectOf } from '../../service/dialects.js';
import { HUB_OPTIONS, type HubOptions } from '../../service/hub.options.js';
import type { Dialect } from '../../protocol/dialect.js';
import { CURRENT_DIALECT } from '../../protocol/current-dialect.js';
import { HubService } from '../../service/hub.service.js';
import type { Start, Wanted } from '../../service/starts.js';
import { HUB_PATH } from '../../../shared/hub-path.js';
import { namesOf } from '../../../shared/trace/request-id.js';
import { checkAccept } from './accept.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { HubErrorFilter } from '../hub-error.filter.js';
import { isGone } from '../is-gone.js';
import { LateBody } from '../bodies/late-body.js';
import { bodyOf } from '../bodies/body.js';
import { getsNotices, openerOf } from './opening.js';
import { parseSubscribe, type SubscribeRequest } from './subscribe-request.js';

/** `GET` and `QUERY` on the hub: the stream of every update that one of the matchers matches (R5). */
@Controller({ path: HUB_PATH, version: VERSION_NEUTRAL })
@UseFilters(HubErrorFilter)
@UseGuards(SubscribeGuard)
export class SubscribeController {
  constructor(
    private readonly hub: HubService,
    private readonly streams: StreamRegistry,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
  ) {}

  @Get()
  get(@Res() given: FrameworkReply, @GrantsOfRequest() grants: Grants): Promise<void> {
    return this.subscribe(hubReplyOf(given), grants);
  }

  @QueryMethod()
  @LateBody(HUB_LIMITS.subscribeBytes)
  query(@Res() given: FrameworkReply, @GrantsOfRequest() grants: Grants): Promise<void> {
    const reply = hubReplyOf(given);
    const { body, headers } = reply.request;
    const form = bodyOf(body, headers['content-type'], 'application/x-www-form-urlencoded');
    return this.subscribe(reply, grants, form);
  }

  /**
   * Where the reader resumes; undefined when the journal can't be read. The stream then ends as soon as it has begun,
   * and the client comes back: a native `EventSource` would give up for good on a 503.
   */
  private async locate(
    request: HubRequest,
    subscription: SubscribeRequest,
    grants: Grants,
  ): Promise<Start | undefined> {
    try {
      const { matchers } = subscription;
      return await this.startOf(subscription, { matchers, grants, isOver: () => isGone(request) });
    } catch (error) {
      if (error instanceof JournalUnavailableError && request.method !== 'HEAD') return undefined;
      throw error;
    }
  }

  private async startOf({ cursor, last, beginsLatest, wishes }: SubscribeRequest, wanted: Wanted): Promise<Start> {
    // A client that comes back uses the URL that it began with, so what to begin with counts only without a cursor.
    const isNew = cursor === undefined || cursor === '';
    if (isNew && last !== undefined) return this.hub.locateNewest(last, wanted);
    if (isNew && beginsLatest) return this.hub.locateLatest(wanted, false);
    // Who gets no notices has a header only to learn where the stream begins.
    const start = await this.hub.locate(cursor ?? (wishes.notices ? undefined : ''));
    return beginsLatest && start.isGap ? this.hub.locateLatest(wanted, true) : start;
  }

  /** Goes through guards and filters like any route, and then takes the connection over. */
  private async subscribe(reply: HubReply, grants: Grants, body?: Buffer): Promise<void> {
    const { request } = reply;
    checkAccept(request.headers.accept);
    const dialect = dialectOf(request, this.options) ?? CURRENT_DIALECT;
    const { requestId, traceId } = namesOf(request);
    const info: StreamInfo = { requestId, traceId, address: request.ip, caller: grants };
    const isHead = request.method === 'HEAD';
    // First of all, because reading and compiling the matchers of those for whom there is no room would be for nothing.
    if (!isHead && !this.hub.admits(info)) {
      const wishes = { notices: getsNotices(request, this.options, this.streams.notices) };
      return this.hub.refuse(openerOf(request, reply, this.streams), { ...info, wishes });
    }
    const wanted = await this.read(request, dialect, body);
    const start = wanted && (await this.locate(request, wanted, grants));
    this.describe(reply, wanted);
    if (start?.lastEventId !== undefined) reply.header(dialect.lastEventIdHeader, start.lastEventId);
    if (isHead) {
      reply.header('content-type', EVENT_STREAM).send();
      await whenSent(reply);
      return;
    }
    // The client may have left meanwhile.
    if (!wanted || isGone(request) || reply.raw.destroyed) return;
    const open = openerOf(request, reply, this.streams);
    const { namesTopics, namesTrace, matchers, maxRate, wishes } = wanted;
    if (!start) return this.hub.refuse(open, { ...info, wishes }, 'unavailable');
    const { address } = info;
    // Each is named, because spreading an object took longer here than parsing the request.
    const stream = { requestId, traceId, address, matchers, grants, start, namesTopics, namesTrace, maxRate, wishes };
    this.hub.subscribe(open, stream);
  }

  /** Seconds between two heartbeats: a client may take the stream for dead after a multiple of this without any byte. */
  private describe(reply: HubReply, wanted: SubscribeRequest | undefined): void {
    const heartbeat = wanted?.wishes.heartbeat ?? this.streams.heartbeat;
    reply.header('herald-heartbeat', String(heartbeat / 1_000)).header('herald-process', this.hub.processId);
  }

  /** What the request asks for; undefined where its client has left before all patterns were compiled. */
  private async read(request: HubRequest, dialect: Dialect, body?: Buffer): Promise<SubscribeRequest | undefined> {
    const lastEventIdHeader = request.headers['last-event-id'];
    const steps = parseSubscribe({
      query: queryOf(request.url),
      hubUrl: this.options.hubUrl,
      dialect,
      hasNotices: this.streams.notices,
      ...(body && { body }),
      ...(typeof lastEventIdHeader === 'string' && { lastEventIdHeader }),
    });
    // Without patterns the first step is the only one, and nobody has to wait for a turn.
    const first = steps.next();
    return first.done ? first.value : this.hub.inTurns(steps, () => isGone(request));
  }
}

/** The query as it stands in the request line, without the `?`. */
function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}
