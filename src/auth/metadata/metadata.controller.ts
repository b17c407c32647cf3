import { Controller, Get, Inject, Res, VERSION_NEUTRAL } from '@nestjs/common';
import { type FrameworkReply, hubReplyOf } from '../../shared/exchange/exchange.js';
import type { HubRequest } from '../../shared/exchange/hub-request.js';
import { MATCHER_TYPES } from '../../hub/matching/matcher.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';
import { METADATA_PREFIX, resourceOf } from '../settings/resource.js';
import { DETAIL_TYPE } from '../tokens/token-grants.js';
import { TrustedIssuers } from '../tokens/trusted-issuers.js';

/** What a client must know to get a token for this hub (RFC 9728; R84). */
@Controller({ path: METADATA_PREFIX + HUB_PATH, version: VERSION_NEUTRAL })
export class MetadataController {
  constructor(
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
    private readonly issuers: TrustedIssuers,
  ) {}

  /** It is sent here, so that an application's interceptors can't make something else of it. */
  @Get()
  metadata(@Res() given: FrameworkReply): void {
    const reply = hubReplyOf(given);
    reply
      .header('cache-control', 'public, max-age=3600')
      .header('content-type', 'application/json; charset=utf-8')
      .send(this.document(reply.request));
  }

  private document(request: HubRequest): object {
    const { cookieName, subscriptions } = this.options;
    // Only an authorization server publishes its keys; who has given the hub a key signs tokens alone (R84).
    const servers = this.issuers.all.filter(({ issuer, set }) => set?.config.uri && issuer.startsWith('https://'));
    return {
      resource: resourceOf(request, this.options),
      ...(servers.length > 0 && { authorization_servers: servers.map(({ issuer }) => issuer) }),
      authorization_details_types_supported: [DETAIL_TYPE],
      bearer_methods_supported: ['header'],
      mercure_cookie: cookieName,
      mercure_matcher_types_supported: MATCHER_TYPES,
      ...(subscriptions && { mercure_subscriptions: true }),
    };
  }
}
