import { createParamDecorator, type ExecutionContext, Logger } from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { concatMap, from, isObservable, type Observable, takeLast } from 'rxjs';
import type { HubService } from '../hub/service/hub.service.js';
import { RepeatedLines } from '../shared/log/repeated-lines.js';
import { InjectHub } from './inject-hub.js';
import { NotPublishedError } from './not-published-error.js';
import { type DraftMaker, draftMaker, type Topics, type UpdateMapping } from './update-mapping.js';

/** The parameters of a request's route, by their names. */
export type RouteParams = Readonly<Record<string, string>>;

export interface PublishToOptions<Value> extends Omit<UpdateMapping<Value, RouteParams>, 'topics'> {
  /** The name of the hub. Default: the hub without a name. */
  readonly hub?: string | undefined;
  /**
   * What becomes of a request whose update can't be published, although the handler has done its work: `fail` answers 500
   * ({@link NotPublishedError}), `log` logs it and answers as if nothing had been. Default: `fail`.
   */
  readonly onError?: 'fail' | 'log' | undefined;
}

/** A handler whose answer is a `Value`. */
export type HandlerOf<Value> = (...args: never[]) => Value | Promise<Value> | Observable<Value>;

/** What {@link PublishTo} is: TypeScript refuses it on a handler whose answer is no `Value`. */
export type PublishToDecorator<Value> = <Handler extends HandlerOf<Value>>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Handler>,
) => void;

type Method = (this: object, ...args: unknown[]) => unknown;

/** The index of the parameter that brings the route's parameters: it lies behind the parameters of any real handler. */
const PARAMS_INDEX = 30;

/** Handlers that publish, which need the parameter above themselves when another one is wrapped around them. */
const publishing = new WeakSet<Method>();

const logger = new Logger('PublishTo');

/** Strangers may cause the same line any number of times. */
const failures = new RepeatedLines((line) => logger.error(line));

const ParamsOfRoute = createParamDecorator((_: unknown, context: ExecutionContext): RouteParams => {
  if (context.getType() !== 'http') return {};
  return context.switchToHttp().getRequest<{ readonly params?: RouteParams }>().params ?? {};
});

/**
 * Publishes what a controller's handler returns: the value, or what its promise or its observable ends with, before any
 * interceptor sees it. `:name` in a topic stands for the value's own `name`, or else for the route's parameter. The answer
 * is sent once the update is stored.
 *
 * The hub is injected into the controller. One that was made by hand, as in a unit test, has none, and publishes nothing.
 * @throws {Error} when the class is loaded, where there is no topic, or the handler is an `@Sse()` stream.
 */
export function PublishTo<Value = unknown>(
  topics: Topics<Value, RouteParams>,
  options: PublishToOptions<Value> = {},
): PublishToDecorator<Value> {
  const draftOf = draftMaker({ ...options, topics }) as DraftMaker<unknown, RouteParams>;
  const hubKey = Symbol.for(options.hub === undefined ? 'herald hub' : `herald hub ${options.hub}`);
  return (target, name, descriptor) => {
    const handler = descriptor.value as unknown as Method;
    const publication = new Publication(`${target.constructor.name}.${String(name)}`, draftOf, options);
    publication.refuseStream(handler);
    InjectHub(options.hub)(target, hubKey);
    ParamsOfRoute()(target, name, PARAMS_INDEX);
    Object.assign(descriptor, { value: wrap(handler, hubKey, publication) });
  };
}

/** What one `@PublishTo()` does with each answer. */
class Publication {
  constructor(
    private readonly handler: string,
    private readonly draftOf: DraftMaker<unknown, RouteParams>,
    private readonly options: Pick<PublishToOptions<never>, 'onError'>,
  ) {}

  refuseStream(method: Method): void {
    if (!Reflect.getMetadata(SSE_METADATA, method)) return;
    throw new Error(`${this.handler} is a stream, which has no answer to publish: take @PublishTo() away.`);
  }

  /** @throws {NotPublishedError} */
  async publish(hub: HubService, value: unknown, params: RouteParams): Promise<void> {
    try {
      const draft = this.draftOf(value, params);
      if (draft) await hub.publish(draft);
    } catch (error) {
      const failure = new NotPublishedError(this.handler, error);
      if (this.options.onError !== 'log') throw failure;
      failures.log({ msg: failure.message, err: failure }, this.handler);
    }
  }
}

/** Not an interceptor, on purpose: it would see what others have wrapped the answer into, if it came before them. */
function wrap(handler: Method, hubKey: symbol, publication: Publication): Method {
  const wrapped: Method = async function (...args) {
    publication.refuseStream(wrapped);
    const result = await handler.apply(this, publishing.has(handler) ? args : args.slice(0, PARAMS_INDEX));
    const hub = Reflect.get(this, hubKey) as HubService | undefined;
    if (!hub) return result;
    const params = (args[PARAMS_INDEX] ?? {}) as RouteParams;
    const publish = async (value: unknown): Promise<unknown> => {
      await publication.publish(hub, value, params);
      return value;
    };
    return isObservable(result) ? from(result).pipe(takeLast(1), concatMap(publish)) : publish(result);
  };
  for (const key of Reflect.getMetadataKeys(handler) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapped);
  }
  Object.defineProperty(wrapped, 'name', { value: handler.name });
  publishing.add(wrapped);
  return wrapped;
}
