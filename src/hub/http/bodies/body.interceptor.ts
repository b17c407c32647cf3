import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { finalize, type Observable } from 'rxjs';
import { isUnread } from './accept-bodies.js';
import { Bodies } from './bodies.js';

/** The bytes that a body may have on this route, where that is less than everywhere else. */
export const MaxBody = Reflector.createDecorator<number>();

/**
 * Reads a request's body once all guards have let the request pass, so that nobody without credentials is listened to
 * for long. Handlers, and the interceptors after this one, find the bytes in `request.body`.
 */
@Injectable()
export class BodyInterceptor implements NestInterceptor {
  constructor(
    private readonly bodies: Bodies,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!isUnread(request)) return next.handle();
    const { bodyLimit } = request.routeOptions;
    const own = this.reflector.get(MaxBody, context.getHandler()) as number | undefined;
    const { bytes, release } = await this.bodies.read(request.raw, Math.min(own ?? bodyLimit, bodyLimit));
    request.body = bytes;
    return next.handle().pipe(finalize(release));
  }
}
