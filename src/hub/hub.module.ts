import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Journal, type Retention } from '../journal/journal.js';
import { MemoryJournal } from '../journal/memory-journal.js';
import { HubErrorFilter } from './http/hub-error.filter.js';
import { PublishController } from './http/publish.controller.js';
import { SubscribeController } from './http/subscribe.controller.js';
import { SubscriptionsController } from './http/subscriptions.controller.js';
import { HUB_OPTIONS, type HubOptions } from './hub.options.js';
import { HubService } from './hub.service.js';

export interface HubModuleOptions extends HubOptions {
  readonly retention: Retention;
}

/** Publish and subscribe, over HTTP and for other modules (`HubService`). */
@Module({})
export class HubModule {
  static forRoot({ retention, ...options }: HubModuleOptions): DynamicModule {
    return {
      module: HubModule,
      controllers: [PublishController, SubscribeController, SubscriptionsController],
      providers: [
        HubService,
        { provide: Journal, useFactory: () => new MemoryJournal(retention) },
        { provide: APP_FILTER, useClass: HubErrorFilter },
        { provide: HUB_OPTIONS, useValue: options },
      ],
      exports: [HubService],
    };
  }
}
