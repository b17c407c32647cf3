import { type CanActivate, createParamDecorator, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ACCESS_OPTIONS, type AccessOptions } from './access.options.js';
import { ANONYMOUS, type Grants } from './grants.js';
import { GuardedGrants } from './guarded-grants.js';
import { type GuardedRequest, requestOf } from './guarded-request.js';
import { HubError } from './hub.errors.js';
import { GrantsResolver } from './grants-resolver.js';
import { whenReady } from '../shared/when-ready.js';

/** A parameter decorator: the grants that the guard of this route has found for the caller. */
export const GrantsOfRequest = createParamDecorator((_: unknown, context: ExecutionContext): Grants => {
  return requestOf(context).grants ?? ANONYMOUS;
});

/** Lets only callers with grants publish. Whether these cover an update's topics is checked for each update. */
@Injectable()
export class PublishGuard implements CanActivate {
  /** @internal Nest calls it. */
  constructor(
    private readonly resolver: GrantsResolver,
    private readonly guarded: GuardedGrants,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = requestOf(context);
    return whenReady(this.resolver.resolve(request, 'publisher'), (grants) => this.admit(request, grants));
  }

  private admit(request: GuardedRequest, grants: Grants | undefined): boolean {
    if (!grants) throw new HubError('unauthorized', 'Publishing needs a token: send it as "Authorization: Bearer …".');
    request.grants = this.guarded.of(grants);
    return true;
  }
}

/** Lets callers with grants subscribe and, where `anonymous` is set, callers without credentials too. */
@Injectable()
export class SubscribeGuard implements CanActivate {
  /** @internal Nest calls it. */
  constructor(
    private readonly resolver: GrantsResolver,
    private readonly guarded: GuardedGrants,
    @Inject(ACCESS_OPTIONS) private readonly options: AccessOptions,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = requestOf(context);
    return whenReady(this.resolver.resolve(request, 'subscriber'), (grants) => this.admit(request, grants));
  }

  private admit(request: GuardedRequest, grants: Grants | undefined): boolean {
    if (!grants && !this.options.anonymous) {
      throw new HubError('unauthorized', 'Subscribing needs a token: send it as "Authorization: Bearer …".');
    }
    request.grants = grants ? this.guarded.of(grants) : ANONYMOUS;
    return true;
  }
}
