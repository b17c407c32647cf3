import { Inject, Injectable } from '@nestjs/common';
import type { HubRequest } from '../../shared/exchange/hub-request.js';
import type { Role } from '../../shared/role.js';
import type { Grants } from '../../access/grants.js';
import { HubError } from '../../access/hub.errors.js';
import { otherTokensOf } from '../../hub/service/dialects.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';
import { credentialsOf } from './credentials.js';
import { GrantsResolver } from '../../access/grants-resolver.js';
import { resourceOf } from '../settings/resource.js';
import { Revocations } from '../revocations/revocations.js';
import { checkOrigin, SAFE_METHODS } from '../settings/same-origin.js';
import { Origins } from '../../shared/http/origins.js';
import { whenReady } from '../../shared/when-ready.js';
import { TokenVerifier } from './token-verifier.js';

const NONE = new Origins([]);

/** What a token in a header or a cookie allows. */
@Injectable()
export class TokenGrantsResolver extends GrantsResolver {
  private readonly allowed: Origins;

  /** @internal Nest calls it. */
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly revocations: Revocations,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {
    super();
    this.allowed = new Origins(options.publishOrigins);
  }

  resolve(request: HubRequest, role: Role): Grants | undefined | Promise<Grants> {
    const { cookieName } = this.options;
    const others = role === 'admin' ? undefined : otherTokensOf(request, this.options);
    const credentials = credentialsOf(request, { cookieName, others });
    if (!credentials) return undefined;
    const resource = resourceOf(request, this.options);
    // Pages of other origins may publish with their visitor's cookie, and never administrate.
    const allowed = role === 'admin' ? NONE : this.allowed;
    if (credentials.carrier === 'cookie' && !SAFE_METHODS.has(request.method)) {
      checkOrigin(request, new URL(resource).origin, allowed);
    }
    const grants = this.verifier.verify(credentials.token, { role, resource, others });
    return whenReady(grants, (verified) => this.unlessRevoked(verified));
  }

  private unlessRevoked(grants: Grants): Grants {
    if (!this.revocations.revokes(grants)) return grants;
    throw new HubError('token-revoked', 'The token has been revoked.');
  }
}
