import { Controller, Get, Inject, Param, Query, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { ANONYMOUS, type Grants } from '../../../access/grants.js';
import { GrantsOfRequest, SubscribeGuard } from '../../../access/guards.js';
import { HubError } from '../../../access/hub.errors.js';
import { type FrameworkReply, hubReplyOf } from '../../../shared/exchange/exchange.js';
import type { HubReply } from '../../../shared/exchange/hub-reply.js';
import type { HubRequest } from '../../../shared/exchange/hub-request.js';
import { HUB_PATH } from '../../../shared/hub-path.js';
import { Lane } from '../../../shared/lane.js';
import { matcherKey } from '../../matching/matcher.js';
import type { Presence } from '../../presence/presence.js';
import type { Selection, SubscriptionsFormat } from '../../protocol/dialect.js';
import { subscriptionPath } from '../../protocol/subscription-path.js';
import { dialectFor } from '../../service/dialects.js';
import { HUB_OPTIONS, type HubOptions } from '../../service/hub.options.js';
import { HubErrorFilter } from '../hub-error.filter.js';
import { isGone } from '../is-gone.js';
import { HubService } from '../../service/hub.service.js';
import { LongParts, longPartsOf } from './long-parts.js';

/** Subscriptions of one answer, and bytes of their documents; the next ones are behind its `next` link. */
const PAGE = { count: 1_000, bytes: 256 * 1024 };

/** Lists that may wait, which are made one after the other. */
const MAX_WAITING = 100;

/** What follows in a path: up to three parts, or all of them where one is long. */
interface Parts {
  readonly first?: string;
  readonly second?: string;
  readonly third?: string;
  readonly '*'?: string;
}

/** A request for subscriptions by a caller that may know who is subscribed. */
interface Inquiry {
  readonly presence: Presence;
  /** The hub's path, and the one that is asked for, as clients know them. */
  readonly hubPath: string;
  readonly path: string;
  readonly after: number;
  readonly format: SubscriptionsFormat;
  /** Resolves when others have had their turn. */
  readonly giveWay: () => Promise<void>;
}

/** Who is subscribed (R77–R80), where that is switched on. */
@Controller({ path: `${HUB_PATH}/subscriptions`, version: VERSION_NEUTRAL })
@UseFilters(HubErrorFilter)
@UseGuards(SubscribeGuard)
export class SubscriptionsController {
  private readonly lists = new Lane();

  constructor(
    private readonly hub: HubService,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
  ) {}

  /** It is sent here, so that an application's interceptors can't make something else of it. */
  // The dialect says what the parts of the path mean.
  @Get(['', ':first', ':first/:second', ':first/:second/:third'])
  @LongParts()
  async get(
    @Res() given: FrameworkReply,
    @GrantsOfRequest() grants: Grants,
    @Param() { first, second, third, '*': wildcard }: Parts,
    @Query('after') after?: string,
  ): Promise<void> {
    const reply = hubReplyOf(given);
    const parts =
      wildcard === undefined
        ? [first, second, third].filter((part) => part !== undefined)
        : longPartsOf(reply.request.url, wildcard);
    if (!parts) throw notFound();
    const inquiry = this.inquire(parts, grants, after);
    const selection = inquiry.format.select(parts);
    if (!selection) throw notFound();
    // The id is read before the subscriptions: a client that goes on from it may be told twice, but misses nothing.
    const { lastEventId } = this.hub;
    const { subscriber } = selection;
    const document =
      subscriber === undefined
        ? await this.inLane(() => collection(inquiry, reply, selection), reply.request)
        : await single(inquiry, subscriber, selection);
    if (document) answer(reply, { inquiry, lastEventId }, document);
  }

  /** A list takes long where many are subscribed, so there is one at a time, and none for a client that has left. */
  private inLane(list: () => Promise<object>, request: HubRequest): Promise<object | undefined> {
    if (this.lists.length >= MAX_WAITING) {
      throw new HubError('overloaded', 'The hub is asked for too many lists at once: ask again later.');
    }
    return this.lists.run(async () => (isGone(request) ? undefined : list()));
  }

  /**
   * R78: a caller may know who is subscribed if it may read updates to the path itself. That is the path which was
   * routed, and not the request's target, which may be written in other ways.
   */
  private inquire(parts: readonly string[], grants: Grants, after = '0'): Inquiry {
    const { presence } = this.hub;
    if (!presence) throw notFound();
    const { pathname: hubPath } = this.options.hubUrl;
    const path = subscriptionPath(hubPath, parts);
    if (!grants.canRead([path])) {
      if (grants === ANONYMOUS) throw new HubError('unauthorized', 'Listing subscriptions needs a token.');
      throw new HubError('insufficient-scope', 'The token does not grant subscribing to this path.');
    }
    const giveWay = (): Promise<void> => this.hub.giveWay();
    const format = dialectFor(grants).subscriptions;
    return { presence, hubPath, path, after: serialIn(after), format, giveWay };
  }
}

/** The number in the `next` link of a page, or 0 for anything else. */
function serialIn(after: string): number {
  return Number.isSafeInteger(Number(after)) ? Number(after) : 0;
}

async function collection(
  { presence, hubPath, path, after, format, giveWay }: Inquiry,
  reply: HubReply,
  { matchers }: Selection,
): Promise<object> {
  const documents: object[] = [];
  let bytes = 0;
  let last = 0;
  for await (const subscription of presence.list({ after, matchers, giveWay })) {
    if (!format.covers(subscription.matcher.type)) continue;
    // A page ends between two subscribers.
    if ((documents.length >= PAGE.count || bytes >= PAGE.bytes) && subscription.serial !== last) {
      reply.header('link', `<${path}?after=${last}>; rel="next"`);
      break;
    }
    last = subscription.serial;
    const document = format.documentOf(hubPath, subscription);
    bytes += JSON.stringify(document).length;
    documents.push(document);
  }
  return format.collectionOf(path, documents);
}

async function single(
  { presence, hubPath, format }: Inquiry,
  subscriber: string,
  { matchers = [] }: Selection,
): Promise<object> {
  const keys = new Set(matchers.map(matcherKey));
  const found = (await presence.of(subscriber)).find(({ matcher }) => keys.has(matcherKey(matcher)));
  if (!found) throw notFound();
  return format.documentOf(hubPath, found);
}

/** Answers with the id of the last event that the document takes into account: a client can go on from there (R80). */
function answer(
  reply: HubReply,
  { inquiry: { format, hubPath }, lastEventId }: { inquiry: Inquiry; lastEventId: string },
  document: object,
): void {
  const { mediaType, eventType } = format;
  const hub = `<${hubPath}>; rel="mercure"; last-event-id="${quoted(lastEventId)}"`;
  const links = [
    `${hub}${eventType === undefined ? '' : `; type="${eventType}"`}; content-type="${mediaType}"`,
    reply.getHeader('link'),
  ];
  const tag = `"${quoted(lastEventId)}"`;
  reply
    .header('link', links.filter(Boolean).join(', '))
    .header('etag', tag)
    .header('vary', [reply.getHeader('vary'), 'authorization', 'cookie'].filter(Boolean).join(', '))
    .header('cache-control', 'private, must-revalidate');
  if (isNotModified(reply.request.headers['if-none-match'], tag)) {
    reply.status(304).send();
    return;
  }
  reply.header('content-type', `${mediaType}; charset=utf-8`).send(format.answerOf(document, lastEventId));
}

/** `If-None-Match` is a list, of weak tags too, or a `*` (RFC 9110, 13.1.2). */
function isNotModified(given: string | undefined, tag: string): boolean {
  if (given === undefined) return false;
  return given.trim() === '*' || given.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}

/** Percent-encodes the characters of an id that a quoted string or an entity tag may not have. */
function quoted(id: string): string {
  return id.replaceAll(/[^\x21\x23\x24\x26-\x7e]|\\/g, (character) => encodeURIComponent(character));
}

function notFound(): HubError {
  return new HubError('not-found', 'There is nothing at this path.');
}
