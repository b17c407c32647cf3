import { Controller, Get, Inject, QueryMethod, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { Grants } from '../../../access/grants.js';
import { GrantsOfRequest, SubscribeGuard } from '../../../access/guards.js';
import { HubError } from '../../../access/hub.errors.js';
import { type FrameworkReply, hubReplyOf, whenSent } from '../../../shared/exchange/exchange.js';
import type { HubReply } from '../../../shared/exchange/hub-reply.js';
import { HUB_PATH } from '../../../shared/hub-path.js';
import { Lane } from '../../../shared/lane.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { CURRENT_DIALECT } from '../../protocol/current-dialect.js';
import { dialectOf } from '../../service/dialects.js';
import { HistoryService, type PastUpdate, type PastUpdates } from '../../service/history.service.js';
import { HUB_OPTIONS, type HubOptions } from '../../service/hub.options.js';
import { HubService } from '../../service/hub.service.js';
import { bodyOf } from '../bodies/body.js';
import { HubErrorFilter } from '../hub-error.filter.js';
import { LateBody } from '../bodies/late-body.js';
import { isGone } from '../is-gone.js';
import { parseSubscribe } from '../subscribe/subscribe-request.js';
import { parseHistory } from './history-request.js';

const NDJSON = 'application/x-ndjson';

/** Held updates as a call: the same matchers and grants as those of a stream. An extension of this hub. */
@Controller({ path: `${HUB_PATH}/history`, version: VERSION_NEUTRAL })
@UseFilters(HubErrorFilter)
@UseGuards(SubscribeGuard)
export class HistoryController {
  private readonly lane = new Lane();
  private waitingBytes = 0;

  constructor(
    private readonly history: HistoryService,
    private readonly hub: HubService,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
  ) {}

  @Get()
  get(@Res() given: FrameworkReply, @GrantsOfRequest() grants: Grants): Promise<void> {
    return this.answer(hubReplyOf(given), grants);
  }

  @QueryMethod()
  @LateBody(HUB_LIMITS.subscribeBytes)
  query(@Res() given: FrameworkReply, @GrantsOfRequest() grants: Grants): Promise<void> {
    const reply = hubReplyOf(given);
    const { body, headers } = reply.request;
    return this.answer(reply, grants, bodyOf(body, headers['content-type'], 'application/x-www-form-urlencoded'));
  }

  private async answer(reply: HubReply, grants: Grants, body?: Buffer): Promise<void> {
    const { request } = reply;
    const query = request.url.split('?').slice(1).join('?');
    const isOver = (): boolean => isGone(request);
    const bytes = query.length + (body?.length ?? 0);
    // What is asked for is read in the lane, because matchers take more memory than the text that they come as.
    const past = await this.inLane(bytes, async () => {
      if (isOver()) return undefined;
      const { hubUrl } = this.options;
      const parameters = parseHistory(query, body);
      const dialect = dialectOf(request, this.options) ?? CURRENT_DIALECT;
      const steps = parseSubscribe({ query, hubUrl, dialect, ...(body && { body }) });
      const wanted = await this.hub.inTurns(steps, isOver);
      return wanted && this.history.find({ ...parameters, matchers: wanted.matchers, grants, isOver });
    });
    if (!past || isOver()) return;
    const documents = await this.hub.inTurns(documentsOf(past), isOver);
    if (documents && !isOver()) await send(reply, documents, linkOf(past, query, this.options.hubUrl));
  }

  private async inLane<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const { waiting, waitingBytes } = HUB_LIMITS.history;
    if (this.lane.length >= waiting || this.waitingBytes + bytes > waitingBytes) {
      throw new HubError('overloaded', 'The hub is asked for its history too often at once: ask again later.');
    }
    this.waitingBytes += bytes;
    return this.lane.run(work).finally(() => (this.waitingBytes -= bytes));
  }
}

/** The updates as JSON, in a step each, because one may be large. */
function* documentsOf({ updates }: PastUpdates): Generator<void, string[]> {
  const documents: string[] = [];
  for (const update of updates) {
    documents.push(JSON.stringify(documentOf(update)));
    yield;
  }
  return documents;
}

async function send(reply: HubReply, documents: readonly string[], link: string | undefined): Promise<void> {
  const isLines = (reply.request.headers.accept ?? '').includes(NDJSON);
  const vary = [reply.getHeader('vary'), 'accept', 'authorization', 'cookie'].filter(Boolean).join(', ');
  reply.header('vary', vary).header('cache-control', 'private, no-cache');
  if (link !== undefined) reply.header('link', link);
  const text = isLines ? documents.map((document) => `${document}\n`).join('') : `[${documents.join(',')}]`;
  reply.header('content-type', isLines ? NDJSON : 'application/json; charset=utf-8').send(text);
  await whenSent(reply);
}

function linkOf({ next }: PastUpdates, query: string, { pathname }: URL): string | undefined {
  return next && `<${pathname}/history?${withNext(query, next)}>; rel="next"`;
}

/** The query of the request, written anew so that nothing of it can end the link, with another place to begin. */
function withNext(query: string, next: { readonly after?: string; readonly before?: string }): string {
  const parameters = new URLSearchParams(query);
  for (const [name, value] of Object.entries(next)) parameters.set(name, value);
  return parameters.toString();
}

function documentOf({ id, topics, type, data, private: isPrivate, time, traceparent }: PastUpdate): object {
  const named = { id, topics, ...(type !== undefined && { type }), data, private: isPrivate };
  return { ...named, time: time?.toISOString(), traceparent };
}
