import { type CanActivate, createParamDecorator, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ANONYMOUS, type Grants } from './grants.js';
import { GuardedGrants } from './guarded-grants.js';
import { HubError } from './hub.errors.js';
import { AUTH_OPTIONS, type AuthOptions } from '../auth/auth.options.js';
import { GrantsResolver } from './grants-resolver.js';
import { TokenVerifier } from '../auth/tokens/token-verifier.js';

/** A request as the guards leave it. */
type GuardedRequest = FastifyRequest & {
  /** Set by a guard, read by {@link GrantsOfRequest}. */
  grants?: Grants;
};

/** What the guard of this route has found the caller to be allowed. */
export const GrantsOfRequest = createParamDecorator((_: unknown, context: ExecutionContext): Grants => {
  return requestOf(context).grants ?? ANONYMOUS;
});

/** Lets those publish who bring grants. Which topics they are good for is decided update by update. */
@Injectable()
export class PublishGuard implements CanActivate {
  constructor(
    private readonly resolver: GrantsResolver,
    private readonly guarded: GuardedGrants,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    const grants = await this.resolver.resolve(request, 'publisher');
    if (!grants) throw new HubError('unauthorized', 'Publishing needs a token: send it as "Authorization: Bearer …".');
    request.grants = this.guarded.of(grants);
    return true;
  }
}

/** Lets those subscribe who bring grants, and, where that is allowed, those who bring nothing. */
@Injectable()
export class SubscribeGuard implements CanActivate {
  constructor(
    private readonly resolver: GrantsResolver,
    private readonly guarded: GuardedGrants,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    const grants = await this.resolver.resolve(request, 'subscriber');
    if (!grants && !this.options.anonymous) {
      throw new HubError('unauthorized', 'Subscribing needs a token: send it as "Authorization: Bearer …".');
    }
    request.grants = grants ? this.guarded.of(grants) : ANONYMOUS;
    return true;
  }
}

/** Lets administrators in. Where no key makes anybody one, there is nothing at these paths. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    private readonly resolver: GrantsResolver,
    private readonly guarded: GuardedGrants,
    private readonly verifier: TokenVerifier,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.verifier.hasKeysFor('admin')) throw new HubError('not-found', 'There is nothing at this path.');
    const request = requestOf(context);
    const given = await this.resolver.resolve(request, 'admin');
    if (!given) throw new HubError('unauthorized', "This needs an administrator's token.");
    const grants = this.guarded.of(given);
    if (!grants.isAdmin) throw new HubError('insufficient-scope', 'The token does not grant the "admin" action.');
    request.grants = grants;
    return true;
  }
}

function requestOf(context: ExecutionContext): GuardedRequest {
  return context.switchToHttp().getRequest<GuardedRequest>();
}
