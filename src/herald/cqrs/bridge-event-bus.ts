import type { BeforeApplicationShutdown, FactoryProvider, OnModuleInit } from '@nestjs/common';
import { EventBus } from '@nestjs/cqrs';
import type { HubService } from '../../hub/service/hub.service.js';
import { hubToken } from '../inject-hub.js';
import { UpdateBridge } from '../update-bridge.js';
import { type DraftMaker, draftMaker, type UpdateMapping } from '../update-mapping.js';

/** A class whose instances are events, which may be an abstract one. */
export type ClassOf<Event> = abstract new (...args: never[]) => Event;

/** How events of a class become updates. The context of its functions is the name of the event's own class. */
export interface DomainEventMapping<Event> extends UpdateMapping<Event, string> {
  /** Events of classes that extend it are meant as well. */
  readonly event: ClassOf<Event>;
}

interface MadeMapping {
  readonly event: ClassOf<object>;
  readonly draftOf: DraftMaker<unknown, string>;
}

/**
 * A provider that publishes events of the `EventBus`, for the `providers` of a module in which the hub and the bus can be
 * injected: from the start of that module on, at most once each, in the order in which they are on the bus.
 * @throws {Error} where a mapping has no topic.
 */
export function bridgeEventBus<const Events extends readonly object[]>(
  mappings: { readonly [Index in keyof Events]: DomainEventMapping<Events[Index]> },
  { hub }: { readonly hub?: string } = {},
): FactoryProvider {
  const made = (mappings as readonly DomainEventMapping<object>[]).map((mapping) => ({
    event: mapping.event,
    draftOf: draftMaker(mapping) as DraftMaker<unknown, string>,
  }));
  return {
    provide: Symbol('herald event bus'),
    inject: [EventBus, hubToken(hub)],
    useFactory: (bus: EventBus, target: HubService) => new EventBusBridge(bus, target, made),
  };
}

class EventBusBridge implements OnModuleInit, BeforeApplicationShutdown {
  private readonly bridge: UpdateBridge;

  constructor(
    private readonly bus: EventBus,
    hub: HubService,
    private readonly mappings: readonly MadeMapping[],
  ) {
    this.bridge = new UpdateBridge(hub);
  }

  onModuleInit(): void {
    this.bus.subscribe((event) => this.publish(event));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.bridge.settled();
  }

  private publish(event: object): void {
    for (const { event: meant, draftOf } of this.mappings) {
      if (!(event instanceof meant)) continue;
      const { name } = event.constructor;
      void this.bridge.publish(name, () => draftOf(event, name));
    }
  }
}
