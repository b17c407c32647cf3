import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import type { AuthOptions } from '../auth/settings/auth.options.js';
import type { GrantsResolver } from '../access/grants-resolver.js';
import { defaultConfig } from '../config/config.js';
import { type HubGuards, HubModule, type HubModuleOptions } from '../hub/hub.module.js';
import type { JournalOptions } from '../storage/open-journal.js';
import { HeraldAdmin } from './admin/herald-admin.js';
import { SseModule } from '../streams/nest-sse/sse.module.js';
import type { DrainOptions } from '../streams/drain/drain.js';
import type { StreamOptions } from '../streams/registry/stream-registry.js';

/** The hub's options, whose defaults are those of the service's environment variables. */
export interface HeraldOptions {
  /** Where the hub is for its clients, such as `https://example.com/.well-known/mercure`. */
  readonly hubUrl: URL;
  readonly streams?: Partial<StreamOptions> & {
    /** How streams are let go before the end of the process. Default: all at once, without a wait. */
    readonly drain?: Partial<DrainOptions>;
  };
  readonly hub?: Partial<Omit<HubModuleOptions, 'hubUrl' | 'guards' | 'journal'>> & {
    readonly journal?: Partial<JournalOptions>;
  };
  readonly auth?: Partial<Omit<AuthOptions, 'hubUrl' | 'subscriptions'>>;
  /** Decides what callers may do, for example from the application's own sessions; by default from tokens. */
  readonly grantsResolver?: Type<GrantsResolver>;
  /** Guards for the hub's routes, in place of the default ones. */
  readonly guards?: HubGuards;
}

/**
 * The hub as a module of another application: streams, access control, publishing and subscribing. The application must
 * run on Fastify, be created with `bodyParser: false`, and pass its Fastify instance to `acceptBodies`, because the hub
 * reads bodies as bytes.
 */
@Module({})
export class HeraldModule {
  static forRoot({ hubUrl, streams, hub, auth, grantsResolver, guards }: HeraldOptions): DynamicModule {
    // The service's defaults, except that no token is accepted until the application names an issuer.
    const defaults = defaultConfig(hub?.journal?.url);
    const journal = { ...defaults.hub.journal, ...hub?.journal };
    const hubOptions = { ...defaults.hub, ...hub, hubUrl, journal, ...(guards && { guards }) };
    const subscriptions = hubOptions.subscriptions.enabled;
    return {
      module: HeraldModule,
      imports: [
        SseModule.forRoot({
          ...defaults.streams,
          ...streams,
          drain: { ...defaults.streams.drain, delay: 0, window: 0, ...streams?.drain },
        }),
        AuthModule.forRoot({
          ...defaults.auth,
          resource: hubUrl.href,
          ...auth,
          hubUrl,
          subscriptions,
          ...(grantsResolver && { grantsResolver }),
        }),
        HubModule.forRoot(hubOptions),
      ],
      providers: [HeraldAdmin],
      exports: [HubModule, HeraldAdmin],
    };
  }
}
