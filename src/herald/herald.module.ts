import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import type { AuthOptions } from '../auth/settings/auth.options.js';
import type { GrantsResolver } from '../access/grants-resolver.js';
import { defaultConfig } from '../config/config.js';
import { type HubGuards, HubModule, type HubModuleOptions } from '../hub/hub.module.js';
import type { JournalOptions } from '../storage/open-journal.js';
import { SseModule } from '../streams/nest-sse/sse.module.js';
import type { StreamOptions } from '../streams/registry/stream-registry.js';

/** What is left out is as in the service's own environment. */
export interface HeraldOptions {
  /** Where the hub is for its clients, such as `https://example.com/.well-known/mercure`. */
  readonly hubUrl: URL;
  readonly streams?: Partial<StreamOptions>;
  readonly hub?: Partial<Omit<HubModuleOptions, 'hubUrl' | 'guards' | 'journal'>> & {
    readonly journal?: Partial<JournalOptions>;
  };
  readonly auth?: Partial<Omit<AuthOptions, 'hubUrl' | 'subscriptions'>>;
  /** Finds out what callers may do, from whatever the application knows them by; by default from tokens. */
  readonly grantsResolver?: Type<GrantsResolver>;
  /** The guards of the hub's routes, in place of its own. */
  readonly guards?: HubGuards;
}

/** As in the service, of whose tokens none counts here until an issuer is named. */
const { streams: STREAMS, hub: HUB, auth: AUTH } = defaultConfig();

/**
 * The hub as a module of somebody's application: streams, who may, publish and subscribe. The application must run on
 * Fastify, be made with `bodyParser: false`, and hand its instance to `acceptBodies`: the hub reads bodies as bytes.
 */
@Module({})
export class HeraldModule {
  static forRoot({ hubUrl, streams, hub, auth, grantsResolver, guards }: HeraldOptions): DynamicModule {
    const journal = { ...HUB.journal, ...hub?.journal };
    const hubOptions = { ...HUB, ...hub, hubUrl, journal, ...(guards && { guards }) };
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
