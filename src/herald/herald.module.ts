import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import type { AuthOptions } from '../auth/settings/auth.options.js';
import type { GrantsResolver } from '../access/grants-resolver.js';
import { type HubGuards, HubModule, type HubModuleOptions } from '../hub/hub.module.js';
import { SseModule } from '../streams/nest-sse/sse.module.js';
import type { StreamOptions } from '../streams/registry/stream-registry.js';

/** What is left out is as in the service's own environment. */
export interface HeraldOptions {
  /** Where the hub is for its clients, such as `https://example.com/.well-known/mercure`. */
  readonly hubUrl: URL;
  readonly streams?: Partial<StreamOptions>;
  readonly hub?: Partial<Omit<HubModuleOptions, 'hubUrl' | 'guards'>>;
  readonly auth?: Partial<Omit<AuthOptions, 'hubUrl' | 'subscriptions'>>;
  /** Finds out what callers may do, from whatever the application knows them by; by default from tokens. */
  readonly grantsResolver?: Type<GrantsResolver>;
  /** The guards of the hub's routes, in place of its own. */
  readonly guards?: HubGuards;
}

const STREAMS: StreamOptions = { heartbeat: 20_000, maxAge: 600_000, writeTimeout: 30_000 };

const HUB: Omit<HubModuleOptions, 'hubUrl'> = {
  legacy: false,
  subscriptions: { enabled: false, grace: 10_000 },
  recentBytes: 64 * 1024 ** 2,
  flushInterval: 0,
  journal: { url: 'memory:', retention: { events: 100_000, bytes: 256 * 1024 ** 2, age: 86_400_000 } },
};

const AUTH: Omit<AuthOptions, 'hubUrl' | 'subscriptions' | 'resource'> = {
  issuers: [],
  anonymous: false,
  legacy: false,
  cookieName: '__Secure-mercure_access_token',
  publishOrigins: [],
};

/**
 * The hub as a module of somebody's application: streams, who may, publish and subscribe. The application must run on
 * Fastify, be made with `bodyParser: false`, and hand its instance to `acceptBodies`: the hub reads bodies as bytes.
 */
@Module({})
export class HeraldModule {
  static forRoot({ hubUrl, streams, hub, auth, grantsResolver, guards }: HeraldOptions): DynamicModule {
    const hubOptions = { ...HUB, ...hub, hubUrl, ...(guards && { guards }) };
    const subscriptions = hubOptions.subscriptions.enabled;
    return {
      module: HeraldModule,
      imports: [
        SseModule.forRoot({ ...STREAMS, ...streams }),
        AuthModule.forRoot({
          ...AUTH,
          resource: hubUrl.href,
          ...auth,
          hubUrl,
          subscriptions,
          ...(grantsResolver && { grantsResolver }),
        }),
        HubModule.forRoot(hubOptions),
      ],
      exports: [HubModule],
    };
  }
}
