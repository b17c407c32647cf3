import { type CanActivate, createParamDecorator, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ANONYMOUS, type Grants } from '../hub/grants.js';
import { HubError } from '../hub/hub.errors.js';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { TokenVerifier } from './token-verifier.js';

/** A request as the guards see it. */
interface Request {
  readonly headers: { readonly authorization?: string };
  /** Set by a guard, read by {@link GrantsOfRequest}. */
  grants?: Grants;
}

/** What the guard of this route has found the caller to be allowed. */
export const GrantsOfRequest = createParamDecorator((_: unknown, context: ExecutionContext): Grants => {
  return requestOf(context).grants ?? ANONYMOUS;
});

/** Lets those publish who present a publisher's token. Which topics it is good for is decided update by update. */
@Injectable()
export class PublishGuard implements CanActivate {
  constructor(private readonly verifier: TokenVerifier) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    const grants = await this.verifier.grantsOf(request.headers.authorization, 'publisher');
    if (!grants) throw new HubError('unauthorized', 'Publishing needs a token: send it as "Authorization: Bearer …".');
    request.grants = grants;
    return true;
  }
}

/** Lets those subscribe who present a subscriber's token, and, where that is allowed, those who present none. */
@Injectable()
export class SubscribeGuard implements CanActivate {
  constructor(
    private readonly verifier: TokenVerifier,
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    const grants = await this.verifier.grantsOf(request.headers.authorization, 'subscriber');
    if (!grants && !this.options.anonymous) {
      throw new HubError('unauthorized', 'Subscribing needs a token: send it as "Authorization: Bearer …".');
    }
    request.grants = grants ?? ANONYMOUS;
    return true;
  }
}

function requestOf(context: ExecutionContext): Request {
  return context.switchToHttp().getRequest<Request>();
}
