import { Controller, Get, Param, Query, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GrantsOfRequest, SubscribeGuard } from '../../../access/guards.js';
import { ANONYMOUS, type Grants } from '../../../access/grants.js';
import { HubError } from '../../../access/hub.errors.js';
import { HubService } from '../../service/hub.service.js';
import { MATCHER_TYPES } from '../../matching/matcher.js';
import type { Presence } from '../../presence/presence.js';
import {
  type ActiveSubscription,
  legacySubscriptionDocument,
  subscriptionDocument,
} from '../../presence/subscription-document.js';
import { HUB_PATH } from '../hub-path.js';

/** Subscribers in one answer; the next ones are behind its `next` link. */
const PAGE = 1_000;

/** A request for subscriptions, once it's clear that the caller may know. */
interface Inquiry {
  readonly presence: Presence;
  readonly path: string;
  readonly after: number;
  readonly isLegacy: boolean;
}

/** Who is subscribed (R77–R80), where that is switched on. */
@Controller(`${HUB_PATH}/subscriptions`)
@UseGuards(SubscribeGuard)
export class SubscriptionsController {
  constructor(private readonly hub: HubService) {}

  @Get()
  all(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @GrantsOfRequest() grants: Grants,
    @Query('after') after?: string,
  ): Promise<object | undefined> {
    return this.collection(this.inquire(request, grants, after), reply, () => true);
  }

  /** Those with one matcher; in the 0.x dialect, one subscriber's subscription to one topic. */
  @Get(':first/:second')
  some(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @GrantsOfRequest() grants: Grants,
    @Param() { first, second }: { first: string; second: string },
    @Query('after') after?: string,
  ): Promise<object | undefined> {
    const inquiry = this.inquire(request, grants, after);
    if (inquiry.isLegacy) return this.single(inquiry, reply, second, ({ pattern }) => pattern === first);
    checkType(first);
    return this.collection(inquiry, reply, ({ type, pattern }) => type === first && pattern === second);
  }

  @Get(':first')
  topic(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @GrantsOfRequest() grants: Grants,
    @Param('first') topic: string,
    @Query('after') after?: string,
  ): Promise<object | undefined> {
    const inquiry = this.inquire(request, grants, after);
    if (!inquiry.isLegacy) throw notFound();
    return this.collection(inquiry, reply, ({ pattern }) => pattern === topic);
  }

  @Get(':type/:match/:subscriber')
  one(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @GrantsOfRequest() grants: Grants,
    @Param() { type, match, subscriber }: { type: string; match: string; subscriber: string },
  ): Promise<object | undefined> {
    const inquiry = this.inquire(request, grants);
    checkType(type);
    return this.single(inquiry, reply, subscriber, (matcher) => matcher.type === type && matcher.pattern === match);
  }

  /** R78: whoever may read updates of the path itself may know. */
  private inquire(request: FastifyRequest, grants: Grants, after = '0'): Inquiry {
    const { presence } = this.hub;
    if (!presence) throw notFound();
    const path = request.url.split('?', 1)[0] ?? '';
    if (!grants.canRead([path])) {
      if (grants === ANONYMOUS) throw new HubError('unauthorized', 'Who is subscribed is told to those with a token.');
      throw new HubError('insufficient-scope', 'The token does not grant subscribing to this path.');
    }
    return { presence, path, after: Number(after) || 0, isLegacy: grants.isLegacy === true };
  }

  private async collection(
    { presence, path, after, isLegacy }: Inquiry,
    reply: FastifyReply,
    isMeant: (matcher: ActiveSubscription['matcher']) => boolean,
  ): Promise<object | undefined> {
    // First: what is told from here on is at worst told twice.
    const { lastEventId } = this.hub;
    const subscriptions: ActiveSubscription[] = [];
    let last = 0;
    for await (const subscription of presence.list(after)) {
      if (!isMeant(subscription.matcher) || !isToldIn(isLegacy, subscription)) continue;
      // A page ends between two subscribers.
      if (subscriptions.length >= PAGE && subscription.serial !== last) {
        void reply.header('link', `<${path}?after=${last}>; rel="next"`);
        break;
      }
      last = subscription.serial;
      subscriptions.push(subscription);
    }
    return answer(
      reply,
      { isLegacy, lastEventId },
      {
        ...(isLegacy && { '@context': 'https://mercure.rocks/' }),
        id: path,
        type: isLegacy ? 'Subscriptions' : 'subscriptions',
        subscriptions: subscriptions.map((subscription) => documentOf(subscription, isLegacy)),
      },
    );
  }

  private async single(
    { presence, isLegacy }: Inquiry,
    reply: FastifyReply,
    subscriber: string,
    isMeant: (matcher: ActiveSubscription['matcher']) => boolean,
  ): Promise<object | undefined> {
    const { lastEventId } = this.hub;
    const found = (await presence.of(subscriber)).find(({ matcher }) => isMeant(matcher));
    if (!found) throw notFound();
    return answer(reply, { isLegacy, lastEventId }, documentOf(found, isLegacy));
  }
}

/** Says how far it is true, so that a client can follow it from there (R80). */
function answer(
  reply: FastifyReply,
  { isLegacy, lastEventId }: { isLegacy: boolean; lastEventId: string },
  document: object,
): object | undefined {
  const type = isLegacy ? 'application/ld+json' : 'application/json';
  const hub = `<${HUB_PATH}>; rel="mercure"; last-event-id="${quoted(lastEventId)}"`;
  const links = [`${hub}${isLegacy ? '' : '; type="mercure"'}; content-type="${type}"`, reply.getHeader('link')];
  const tag = `"${quoted(lastEventId)}"`;
  void reply
    .header('link', links.filter(Boolean).join(', '))
    .header('etag', tag)
    .header('vary', 'authorization, cookie')
    .header('cache-control', 'private, must-revalidate');
  if (isNotModified(reply.request.headers['if-none-match'], tag)) {
    void reply.status(304);
    return undefined;
  }
  void reply.header('content-type', `${type}; charset=utf-8`);
  return isLegacy ? { ...document, lastEventID: lastEventId } : document;
}

function documentOf(subscription: ActiveSubscription, isLegacy: boolean): object {
  return isLegacy ? legacySubscriptionDocument(HUB_PATH, subscription) : subscriptionDocument(HUB_PATH, subscription);
}

/** A URI Template has no place in the current dialect, nor a URL Pattern in the 0.x one. */
function isToldIn(isLegacy: boolean, { matcher }: ActiveSubscription): boolean {
  return matcher.type !== (isLegacy ? 'urlpattern' : 'uritemplate');
}

function checkType(type: string): void {
  if (MATCHER_TYPES.some((known) => known === type)) return;
  throw new HubError('matcher-unknown', `The matcher types are: ${MATCHER_TYPES.join(', ')}.`);
}

/** `If-None-Match` is a list, of weak tags too, or a `*` (RFC 9110, 13.1.2). */
function isNotModified(given: string | undefined, tag: string): boolean {
  if (given === undefined) return false;
  return given.trim() === '*' || given.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}

/** An id may have what a quoted string or an entity tag may not. */
function quoted(id: string): string {
  return id.replaceAll(/[^\x21\x23\x24\x26-\x7e]|\\/g, (character) => encodeURIComponent(character));
}

function notFound(): HubError {
  return new HubError('not-found', 'There is nothing at this path.');
}
