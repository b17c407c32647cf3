import { type CanActivate, type DynamicModule, Module, type Type } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { APP_FILTER } from '@nestjs/core';
import { Journal } from '../storage/journal/journal.js';
import { type JournalOptions, openJournal } from '../storage/open-journal.js';
import { openState } from '../storage/open-state.js';
import { SharedState } from '../storage/state/shared-state.js';
import { GuardedGrants } from '../access/guarded-grants.js';
import { BODY_OPTIONS, Bodies, type BodyOptions } from './http/bodies/bodies.js';
import { topicAddresses } from './matching/url-pattern/topic-addresses.js';
import { UnparsedBodies } from './http/bodies/unparsed-bodies.js';
import { HubErrorFilter } from './http/hub-error.filter.js';
import { HistoryController } from './http/history/history.controller.js';
import { BATCH_OPTIONS, Batches, type BatchOptions } from './http/publish/batch/batches.js';
import { PublishController } from './http/publish/publish.controller.js';
import { SubscribeController } from './http/subscribe/subscribe.controller.js';
import { SubscriptionsController } from './http/subscriptions/subscriptions.controller.js';
import { HUB_OPTIONS, type HubOptions } from './service/hub.options.js';
import { ExplainService } from './service/explain.service.js';
import { HistoryService } from './service/history.service.js';
import { HubService } from './service/hub.service.js';

export interface HubModuleOptions extends HubOptions {
  readonly journal: Omit<JournalOptions, 'addresses'>;
  readonly bodies: BodyOptions;
  readonly batches: BatchOptions;
  /** The guards to use in place of the hub's own, which may be among them. */
  readonly guards?: HubGuards;
}

/** The guards of the hub's routes, in the order in which they are asked. */
export interface HubGuards {
  /** Default: `PublishGuard`. */
  readonly publish?: readonly Type<CanActivate>[];
  /** Default: `SubscribeGuard`. */
  readonly subscribe?: readonly Type<CanActivate>[];
}

/** Publish and subscribe, over HTTP and for other modules (`HubService`). */
@Module({})
export class HubModule {
  static forRoot({ journal, bodies, batches, guards = {}, ...options }: HubModuleOptions): DynamicModule {
    const addresses = topicAddresses(options.hubUrl);
    return {
      module: HubModule,
      global: true,
      controllers: [
        guardedBy(guards.publish, PublishController),
        guardedBy(guards.subscribe, SubscribeController),
        guardedBy(guards.subscribe, SubscriptionsController),
        guardedBy(guards.subscribe, HistoryController),
      ],
      providers: [
        HubService,
        HistoryService,
        ExplainService,
        GuardedGrants,
        Bodies,
        UnparsedBodies,
        Batches,
        { provide: BODY_OPTIONS, useValue: bodies },
        { provide: BATCH_OPTIONS, useValue: { ...batches, tracer: options.tracer } },
        { provide: Journal, useFactory: () => openJournal({ ...journal, addresses }) },
        {
          provide: SharedState,
          // The journal opens first, because a state on disk has its files in the directory that the journal locks.
          inject: [Journal],
          useFactory: (opened: Journal) => openBeside(opened, journal, options.subscriptions.grace),
        },
        { provide: APP_FILTER, useClass: HubErrorFilter },
        { provide: HUB_OPTIONS, useValue: options },
      ],
      exports: [HubService, HistoryService, ExplainService, GuardedGrants, SharedState, Bodies],
    };
  }
}

/** Opens the state that goes with a journal. If that fails, the journal is closed, because nobody else would do it. */
async function openBeside(journal: Journal, options: HubModuleOptions['journal'], grace: number): Promise<SharedState> {
  try {
    return await openState(options, grace);
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/** The same controller behind other guards. It is a subclass, because guards are metadata that a class has once. */
function guardedBy(guards: readonly Type<CanActivate>[] | undefined, controller: Type): Type {
  if (!guards) return controller;
  const guarded = class extends controller {};
  Object.defineProperty(guarded, 'name', { value: controller.name });
  Reflect.defineMetadata(GUARDS_METADATA, [...guards], guarded);
  return guarded;
}
