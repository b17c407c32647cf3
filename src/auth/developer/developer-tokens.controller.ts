import { Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HubError } from '../../access/hub.errors.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';
import { mintDeveloperTokens } from './developer-tokens.js';
import { resourceOf } from '../settings/resource.js';

/** Seconds. Whoever needs one for longer connects anew. */
const LIFETIME = 3_600;

/**
 * Tokens for the console, made with keys that the service has made up for this run; in development only, see
 * `DeveloperModule`. They go to a page of this very service that was opened under a name of this machine: a page of
 * another site that has a name of its own lead here (DNS rebinding) does not get any.
 */
@Controller('developer/tokens')
export class DeveloperTokensController {
  constructor(@Inject(AUTH_OPTIONS) private readonly options: AuthOptions) {}

  /** @throws {HubError} `origin-refused` for anybody else. */
  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async give(@Req() request: FastifyRequest): Promise<object> {
    const own = `${request.protocol}://${request.host}`;
    if (request.headers.origin !== own || !LOOPBACK.test(request.host)) {
      throw new HubError('origin-refused', 'Tokens for development go to the service’s own page, opened as localhost.');
    }
    const audience = [resourceOf(request, this.options.resource)];
    const tokens = await mintDeveloperTokens(this.options, { audience, lifetime: LIFETIME });
    if (!tokens) throw new HubError('not-found', 'There are no keys that the service has made up.');
    return tokens;
  }
}

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;
