import { Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { type FrameworkRequest, hubRequestOf } from '../../shared/exchange/exchange.js';
import { HubError } from '../../access/hub.errors.js';
import { AUTH_OPTIONS, type AuthOptions } from '../../auth/settings/auth.options.js';
import { mintDeveloperTokens } from './developer-tokens.js';
import { resourceOf } from '../../auth/settings/resource.js';

/** Seconds. A console that needs a token for longer connects again. */
const LIFETIME = 3_600;

/**
 * Mints tokens for the console with keys that were generated for this run; in development only, see `DeveloperModule`.
 * Only the service's own page under a loopback name gets them, so that a page of another site whose domain name leads
 * to this machine (DNS rebinding) gets none; and only from this machine, because other programs write what they like.
 */
@Controller('developer/tokens')
export class DeveloperTokensController {
  constructor(@Inject(AUTH_OPTIONS) private readonly options: AuthOptions) {}

  /** @throws {HubError} `origin-refused` for any other page; `not-found` where no keys were generated. */
  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async give(@Req() given: FrameworkRequest): Promise<object> {
    const request = hubRequestOf(given);
    const own = `${request.protocol}://${request.host}`;
    const isHere = LOOPBACK_PEER.test(request.raw.socket.remoteAddress ?? '');
    if (!isHere || request.headers.origin !== own || !LOOPBACK.test(request.host)) {
      throw new HubError('origin-refused', 'Tokens for development go to the service’s own page, opened as localhost.');
    }
    const audience = [resourceOf(request, this.options)];
    const tokens = await mintDeveloperTokens(this.options, { audience, lifetime: LIFETIME });
    if (!tokens) throw new HubError('not-found', 'The service has no generated keys.');
    return tokens;
  }
}

/** The other end of the socket itself: a proxy's headers are not asked. */
const LOOPBACK_PEER = /^(?:(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;
