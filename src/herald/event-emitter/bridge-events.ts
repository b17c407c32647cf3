import type { BeforeApplicationShutdown, FactoryProvider, OnModuleInit } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { HubService } from '../../hub/service/hub.service.js';
import { hubToken } from '../inject-hub.js';
import { UpdateBridge } from '../update-bridge.js';
import { type DraftMaker, draftMaker, type UpdateMapping } from '../update-mapping.js';

/** The name of an event, or, with wildcards, its parts. */
export type EventName = string | symbol | (string | symbol)[];

/** How events with a name become updates. The context of its functions is the name that an event was emitted by. */
export interface EventMapping<Payload> extends UpdateMapping<Payload, string> {
  /** As for `@OnEvent()`: `order.*` and `order.**` need `EventEmitterModule.forRoot({ wildcard: true })`. */
  readonly event: EventName;
}

interface MadeMapping {
  readonly event: EventName;
  readonly draftOf: DraftMaker<unknown, string>;
}

type Listener = (this: { readonly event?: EventName }, payload?: unknown) => unknown;

/**
 * A provider that publishes events of `@nestjs/event-emitter`, for the `providers` of a module in which the hub can be
 * injected: from the start of that module on, at most once each, in the order in which they are emitted. What
 * `emitAsync` gives resolves once their updates are stored.
 * @throws {Error} where a mapping has no topic; at the start, where it has a wildcard and the emitter knows none.
 */
export function bridgeEvents(
  mappings: readonly EventMapping<never>[],
  { hub }: { readonly hub?: string } = {},
): FactoryProvider {
  const made = mappings.map((mapping) => ({
    event: mapping.event,
    draftOf: draftMaker(mapping) as DraftMaker<unknown, string>,
  }));
  return {
    provide: Symbol('herald events'),
    inject: [EventEmitter2, hubToken(hub)],
    useFactory: (emitter: EventEmitter2, target: HubService) => new EventBridge(emitter, target, made),
  };
}

/** The emitter's module lets go of all listeners when the application ends. */
class EventBridge implements OnModuleInit, BeforeApplicationShutdown {
  private readonly bridge: UpdateBridge;

  constructor(
    private readonly emitter: EventEmitter2,
    hub: HubService,
    private readonly mappings: readonly MadeMapping[],
  ) {
    this.bridge = new UpdateBridge(hub);
  }

  onModuleInit(): void {
    const knowsWildcards = 'wildcard' in this.emitter && this.emitter.wildcard === true;
    for (const { event, draftOf } of this.mappings) {
      if (!knowsWildcards && hasWildcard(event)) {
        throw new Error('An event has a wildcard: set `wildcard: true` in EventEmitterModule.forRoot().');
      }
      this.emitter.on(event, this.listenerFor(event, draftOf));
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.bridge.settled();
  }

  private listenerFor(subscribed: EventName, draftOf: DraftMaker<unknown, string>): Listener {
    const { bridge } = this;
    // The emitter tells the name by which an event was emitted as its own property.
    return function (payload) {
      const name = nameOf(this.event ?? subscribed);
      return bridge.publish(name, () => draftOf(payload, name));
    };
  }
}

function hasWildcard(event: EventName): boolean {
  return [event].flat().some((part) => typeof part === 'string' && part.includes('*'));
}

function nameOf(event: EventName): string {
  return [event]
    .flat()
    .map((part) => (typeof part === 'symbol' ? (part.description ?? '') : part))
    .join('.');
}
