import { type DynamicModule, Module } from '@nestjs/common';
import type { Grants } from '../../access/grants.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import { TokenRevocations } from '../../access/token-revocations.js';
import { topicAddresses } from '../../hub/matching/url-pattern/topic-addresses.js';
import { Administration } from '../../hub/service/administration.js';
import { HistoryService } from '../../hub/service/history.service.js';
import { HUB_OPTIONS, type HubOptions } from '../../hub/service/hub.options.js';
import { HubService } from '../../hub/service/hub.service.js';
import { steadyNow } from '../../shared/time/steady-clock.js';
import { Journal } from '../../storage/journal/journal.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { MemoryState } from '../../storage/state/memory/memory-state.js';
import { SharedState } from '../../storage/state/shared-state.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { hubToken } from '../inject-hub.js';
import { TestHub, testHubToken } from './test-hub.js';
import { TestRevocations } from './test-revocations.js';

export interface HeraldTestingOptions {
  /** The hub's name, where the application injects it by one. */
  readonly name?: string | undefined;
  /** What relative topics and patterns are resolved against. Default: `https://hub.example/.well-known/mercure`. */
  readonly hubUrl?: URL | undefined;
  /** What a subject may read, for `TestHub.subscribeAs`. */
  readonly grantsOf?: ((subject: string) => Grants) | undefined;
}

const RETENTION = { events: 100_000, bytes: 64 * 1024 ** 2, age: Infinity };

const NO_QUOTA = { updates: 0, bytes: 0 };

/**
 * A hub without HTTP for unit tests, whose updates are in memory: `HubService` and `HistoryService` as they are, and
 * {@link TestHub} to look at it with. All modules of the test see it. It goes when the testing module is closed.
 */
@Module({})
export class HeraldTestingModule {
  static forRoot({ name, hubUrl = defaultUrl(), grantsOf }: HeraldTestingOptions = {}): DynamicModule {
    const [hub, testHub] = [hubToken(name), testHubToken(name)];
    return {
      module: HeraldTestingModule,
      global: true,
      providers: [
        GuardedGrants,
        HistoryService,
        Administration,
        { provide: hub, useClass: HubService },
        { provide: HUB_OPTIONS, useValue: hubOptions(hubUrl) },
        {
          provide: Journal,
          useFactory: () => new MemoryJournal(RETENTION, steadyNow, RETENTION, topicAddresses(hubUrl)),
        },
        { provide: SharedState, useFactory: () => new MemoryState(0) },
        {
          provide: StreamRegistry,
          useFactory: () => new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 }),
        },
        {
          provide: testHub,
          inject: [Journal, GuardedGrants, StreamRegistry],
          useFactory: (journal: Journal, guarded: GuardedGrants, streams: StreamRegistry) =>
            new TestHub(journal, guarded, streams, { hubUrl, grantsOf }),
        },
        {
          provide: TokenRevocations,
          inject: [testHub, SharedState, StreamRegistry],
          useFactory: (...parts: [TestHub, SharedState, StreamRegistry]) => new TestRevocations(...parts),
        },
      ],
      // Whoever asks a testing module for a class gets the hub without a name.
      exports: [hub, testHub, ...(name === undefined ? [HistoryService] : [])],
    };
  }
}

function defaultUrl(): URL {
  return new URL('https://hub.example/.well-known/mercure');
}

function hubOptions(hubUrl: URL): HubOptions {
  return {
    hubUrl,
    legacy: false,
    subscriptions: { enabled: false, grace: 0 },
    recentBytes: 1024 ** 2,
    flushInterval: 0,
    quota: { each: NO_QUOTA, all: NO_QUOTA },
  };
}
