import { createParamDecorator, type ExecutionContext, Inject, Injectable, type MessageEvent } from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { isObservable, type Observable } from 'rxjs';
import { requestOf } from '../../access/guarded-request.js';
import { type FrameworkReply, hubReplyOf } from '../../shared/exchange/exchange.js';
import { withLifetime } from './live-stream.js';
import { MANAGED_SSE, type ManagedSseOptions } from './managed-sse.js';
import { StreamRegistry } from '../registry/stream-registry.js';
import { type StreamRequest, toStreamRequest } from '../registry/stream-request.js';

type Handler = (...args: unknown[]) => unknown;

/** The index of the parameter that brings the request: it lies behind the parameters of any real handler. */
const REQUEST_INDEX = 31;

/** Marks a wrapped handler, and holds the one it wraps. */
const WRAPPED = Symbol('wrapped @Sse() handler');

const RequestOfStream = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const reply = hubReplyOf(context.switchToHttp().getResponse<FrameworkReply>());
  return toStreamRequest(requestOf(context), reply);
});

/** The injection token of {@link SseExplorerOptions}. */
export const SSE_EXPLORER_OPTIONS = Symbol('sse explorer options');

/** Which `@Sse()` handlers are found: those that are marked (`@ManagedSse()`) for the hub of this name, or all. */
export interface SseExplorerOptions {
  readonly handlers: 'marked' | 'all';
  readonly hub: string | undefined;
}

type ControllerWrapper = ReturnType<DiscoveryService['getControllers']>[number];

/**
 * Finds the `@Sse()` handlers of the application that are to be managed, and gives their streams a lifetime
 * ({@link withLifetime}).
 *
 * Not an interceptor, on purpose: with any interceptor on an `@Sse()` route, Nest sends `200` and the headers one
 * macrotask after the request, and a handler or pipe that fails later can no longer answer with its own status.
 */
@Injectable()
export class SseExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly registry: StreamRegistry,
    @Inject(SSE_EXPLORER_OPTIONS) private readonly options: SseExplorerOptions,
  ) {}

  /** Must run before the routes are made. */
  explore(): void {
    for (const wrapper of this.discovery.getControllers()) {
      const prototype = wrapper.metatype?.prototype as object | undefined;
      if (!prototype) continue;
      // An instance made for each request takes its handlers from the prototype.
      const owner = (wrapper.isDependencyTreeStatic() ? wrapper.instance : prototype) as Record<string, Handler>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = owner[name];
        if (!handler || !Reflect.getMetadata(SSE_METADATA, handler) || !this.isManaged(handler, wrapper)) continue;
        RequestOfStream()(prototype, name, REQUEST_INDEX);
        owner[name] = this.wrap(handler);
      }
    }
  }

  /** What is nearest to the handler decides. */
  private isManaged(handler: Handler, { metatype, host }: ControllerWrapper): boolean {
    const marks = [handler, metatype, host?.metatype].map(
      (target) => target && (Reflect.getMetadata(MANAGED_SSE, target) as ManagedSseOptions | undefined),
    );
    const mark = marks.find((one) => one !== undefined);
    const { handlers, hub } = this.options;
    return mark ? mark.hub === hub : handlers === 'all';
  }

  private wrap(given: Handler & { [WRAPPED]?: Handler }): Handler {
    const handler = given[WRAPPED] ?? given;
    const { registry } = this;
    const wrapped = function (this: unknown, ...args: unknown[]): unknown {
      const request = args[REQUEST_INDEX] as StreamRequest;
      const result = handler.apply(this, args.slice(0, REQUEST_INDEX));
      return result instanceof Promise ? result.then((value: unknown) => give(value, request)) : give(result, request);
    };
    const give = (value: unknown, request: StreamRequest): unknown =>
      isObservable(value) ? withLifetime(value as Observable<MessageEvent>, request, registry) : value;
    for (const key of Reflect.getMetadataKeys(handler) as unknown[]) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
    }
    return Object.assign(wrapped, { [WRAPPED]: handler });
  }
}
