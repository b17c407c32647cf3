import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Module,
  type NestModule,
  type OnApplicationBootstrap,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { ACCESS_OPTIONS } from '../../access/access.options.js';
import { GrantsResolver } from '../../access/grants-resolver.js';
import { AUTH_PROVIDERS } from '../../auth/auth.providers.js';
import { AUTH_OPTIONS } from '../../auth/settings/auth.options.js';
import { METADATA_PREFIX } from '../../auth/settings/resource.js';
import { BODY_OPTIONS, Bodies } from '../../hub/http/bodies/bodies.js';
import { keepBodiesUnparsed } from '../../hub/http/bodies/unparsed-bodies.js';
import { leaveBodiesUnread } from '../../hub/http/bodies/unread-bodies.js';
import { takeLongParts } from '../../hub/http/subscriptions/long-parts.js';
import { BATCH_OPTIONS } from '../../hub/http/publish/batch/batches.js';
import { HUB_PROVIDERS } from '../../hub/hub.providers.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import { ExplainService } from '../../hub/service/explain.service.js';
import { HistoryService } from '../../hub/service/history.service.js';
import { HUB_OPTIONS } from '../../hub/service/hub.options.js';
import { HubService } from '../../hub/service/hub.service.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import { Journal } from '../../storage/journal/journal.js';
import { SharedState } from '../../storage/state/shared-state.js';
import { Drain, DRAIN_OPTIONS } from '../../streams/drain/drain.js';
import { STREAM_PATH } from '../../streams/lane/lane-requests.js';
import { SSE_EXPLORER_OPTIONS, SseExplorer } from '../../streams/nest-sse/sse.explorer.js';
import { STREAM_OPTIONS, StreamRegistry } from '../../streams/registry/stream-registry.js';
import { STREAM_PROVIDERS } from '../../streams/stream.providers.js';
import { globalPrefixOf, keepOutOfPrefix } from './global-prefix.js';
import {
  DEFAULT_EXTRAS,
  type HeraldExtras,
  type HeraldOptions,
  type ResolvedOptions,
  resolveOptions,
} from './herald.options.js';
import { hubControllers } from './hub-controllers.js';
import { exportedParts } from './hub-parts.js';
import { hubToken } from '../inject-hub.js';
import { openJournalBeside, openStateBeside } from './open-storage.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<HeraldOptions>({
  moduleName: 'Herald',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createHeraldOptions')
  .setExtras<HeraldExtras>(DEFAULT_EXTRAS, toModule)
  .build();

/** The injection token of {@link ResolvedOptions}. */
const RESOLVED = Symbol('resolved herald options');

/** What modules that import the hub without a name can inject. Of one with a name they get its `@InjectHub(name)`. */
const EXPORTED = [
  ...AUTH_PROVIDERS,
  HubService,
  HistoryService,
  ExplainService,
  GuardedGrants,
  SharedState,
  Bodies,
  StreamRegistry,
  Drain,
  ACCESS_OPTIONS,
  AUTH_OPTIONS,
  HUB_OPTIONS,
];

/**
 * A hub as a module of another application: publishing and subscribing over HTTP and in process, access control, and its
 * streams. Nothing of it applies to the application's other routes.
 *
 *     HeraldModule.forRoot({ hubUrl: 'https://example.com/.well-known/mercure' })
 *     HeraldModule.forRootAsync({ inject: [ConfigService], useFactory: (config) => ({ hubUrl: config.get('HUB_URL') }) })
 */
@Module({})
export class HeraldModule extends ConfigurableModuleClass implements NestModule, OnApplicationBootstrap {
  /** @internal Nest calls it. */
  constructor(
    private readonly explorer: SseExplorer,
    private readonly moduleRef: ModuleRef,
    private readonly host: HttpAdapterHost,
    @Inject(STREAM_PATH) private readonly path: string,
  ) {
    super();
  }

  /** The last of Nest's hooks that runs before the routes are made. */
  configure(): void {
    if (this.path === HUB_PATH) keepOutOfPrefix(this.moduleRef, [HUB_PATH, METADATA_PREFIX + HUB_PATH]);
    leaveBodiesUnread(this.host.httpAdapter);
    takeLongParts(this.host.httpAdapter);
    this.explorer.explore();
  }

  onApplicationBootstrap(): void {
    const prefix = this.path === HUB_PATH ? '' : globalPrefixOf(this.moduleRef);
    const path = prefix + this.path;
    keepBodiesUnparsed(this.host.httpAdapter, [path, `${path}/batch`, `${path}/history`]);
  }
}

/** All of one hub is one module, so that several in one application have nothing in common. */
function toModule(definition: DynamicModule, extras: HeraldExtras): DynamicModule {
  const all = { ...DEFAULT_EXTRAS, ...extras };
  const { name, path, isGlobal } = all;
  const parts = exportedParts(name);
  const named: Provider[] = name === undefined ? [] : [{ provide: hubToken(name), useExisting: HubService }];
  return {
    ...definition,
    global: isGlobal,
    imports: [DiscoveryModule, ...(definition.imports ?? []), ...all.imports],
    controllers: hubControllers(all),
    providers: [
      ...(definition.providers ?? []),
      ...optionProviders(path),
      { provide: STREAM_PATH, useValue: path },
      { provide: SSE_EXPLORER_OPTIONS, useValue: { handlers: all.sse, hub: name } },
      ...STREAM_PROVIDERS,
      ...AUTH_PROVIDERS,
      ...HUB_PROVIDERS,
      ...(all.grantsResolver ? [{ provide: GrantsResolver, useClass: all.grantsResolver }] : []),
      ...storageProviders(all),
      parts,
      ...named,
    ],
    exports: [parts.provide, ...(name === undefined ? EXPORTED : [hubToken(name)])],
  };
}

/** Each part gets its options from those of the whole, which may come late. */
function optionProviders(path: string): Provider[] {
  const part = (provide: symbol, of: (options: ResolvedOptions) => unknown): Provider => ({
    provide,
    inject: [RESOLVED],
    useFactory: of,
  });
  return [
    {
      provide: RESOLVED,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: HeraldOptions) => resolveOptions(options, path),
    },
    part(STREAM_OPTIONS, ({ streams }) => streams),
    part(DRAIN_OPTIONS, ({ drain }) => drain),
    part(AUTH_OPTIONS, ({ auth }) => auth),
    part(ACCESS_OPTIONS, ({ auth: { anonymous } }) => ({ anonymous })),
    part(HUB_OPTIONS, ({ hub }) => hub),
    part(BODY_OPTIONS, ({ bodies }) => bodies),
    part(BATCH_OPTIONS, ({ batches }) => batches),
  ];
}

function storageProviders({ journal, state }: Required<HeraldExtras>): Provider[] {
  return [
    journal === undefined
      ? // What is the application's own opens first, so that nothing is left open where it can't be.
        { provide: Journal, inject: [RESOLVED, ...(state === undefined ? [] : [state])], useFactory: openJournalBeside }
      : { provide: Journal, useExisting: journal },
    state === undefined
      ? // The journal opens first, because a state on disk has its files in the directory that the journal locks.
        { provide: SharedState, inject: [Journal, RESOLVED], useFactory: openStateBeside }
      : { provide: SharedState, useExisting: state },
  ];
}
