import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { requestOf } from '../../../access/guarded-request.js';
import { type FrameworkReply, hubReplyOf } from '../../../shared/exchange/exchange.js';
import { whenReady } from '../../../shared/when-ready.js';
import { LATE_BODY } from './unread-bodies.js';
import { Bodies } from './bodies.js';

/**
 * The last guard of a route: reads the body once all others have let the request pass, so that nobody without
 * credentials is listened to for long. Handlers find the bytes in `request.body`.
 *
 * It is not an interceptor, because with one each publication took a quarter more CPU time.
 */
@Injectable()
class BodyGuard implements CanActivate {
  /** The bytes that a body may have on this route, where that is less than everywhere else. */
  protected readonly most: number = Infinity;

  constructor(private readonly bodies: Bodies) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = requestOf(context);
    // Without a body, or with none of a type that is taken, there is nothing to read.
    if (request.body !== request.raw) return true;
    const limit = Math.min(this.most, this.bodies.limitOf(request));
    return whenReady(this.bodies.read(request.raw, limit), ({ bytes, release }) => {
      request.body = bytes;
      // The answer to a subscription goes on for long after its body was of use.
      if (release && request.method === 'QUERY') release();
      else if (release) hubReplyOf(context.getArgByIndex<FrameworkReply>(1)).raw.once('close', release);
      return true;
    });
  }
}

/** What `@RouteConfig()` of Nest's Fastify adapter sets, which an application on Express need not have. */
export const ROUTE_CONFIG = '__fastify_route_config__';

/** For a route with a body, which is then read after all guards of the controller. */
export function LateBody(limit = Infinity): MethodDecorator {
  @Injectable()
  class LimitedBodyGuard extends BodyGuard {
    protected override readonly most = limit;
  }
  return applyDecorators(SetMetadata(ROUTE_CONFIG, { [LATE_BODY]: true }), UseGuards(LimitedBodyGuard));
}

/** For a route whose handler reads the body itself, as it comes. */
export function StreamedBody(): MethodDecorator {
  return SetMetadata(ROUTE_CONFIG, { [LATE_BODY]: true });
}
