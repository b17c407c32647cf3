import type { CanActivate, InjectionToken, ModuleMetadata, Type } from '@nestjs/common';
import type { GrantsResolver } from '../../access/grants-resolver.js';
import type { AuthOptions } from '../../auth/settings/auth.options.js';
import { type Config, defaultConfig } from '../../config/config.js';
import type { BodyOptions } from '../../hub/http/bodies/bodies.js';
import type { BatchOptions } from '../../hub/http/publish/batch/batches.js';
import type { HubOptions } from '../../hub/service/hub.options.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import type { Journal } from '../../storage/journal/journal.js';
import type { JournalOptions } from '../../storage/open-journal.js';
import type { SharedState } from '../../storage/state/shared-state.js';
import type { DrainOptions } from '../../streams/drain/drain.js';
import type { StreamOptions } from '../../streams/registry/stream-registry.js';

/** Where a hub keeps its updates, and how many. What is left out is as the service's environment variables have it. */
export interface HeraldJournalOptions {
  /** `memory:` (the default), `lmdb:` and a directory, or the URL of a Redis. May hold a password: it is never logged. */
  readonly url?: string;
  readonly retention?: Partial<JournalOptions['retention']>;
  readonly presenceRetention?: Partial<JournalOptions['presenceRetention']>;
  readonly redis?: Partial<JournalOptions['redis']>;
  /** When aborted, an engine that is away is not waited for any longer. */
  readonly signal?: AbortSignal | undefined;
}

/** How streams are, and how they are let go before the end of the process. */
export interface HeraldStreamOptions extends Partial<StreamOptions> {
  /** Default: all at once, without a wait. */
  readonly drain?: Partial<DrainOptions>;
}

/** The hub's options. What is left out is as the service has it without any environment variable. */
export interface HeraldOptions {
  /** Where the hub is for its clients, such as `https://example.com/.well-known/mercure`. */
  readonly hubUrl: URL | string;
  readonly streams?: HeraldStreamOptions;
  readonly hub?: Partial<Omit<HubOptions, 'hubUrl' | 'path'>> & {
    /** The journal's URL, or more about it. */
    readonly journal?: string | HeraldJournalOptions;
    readonly bodies?: Partial<BodyOptions>;
    readonly batches?: Partial<BatchOptions>;
  };
  readonly auth?: Partial<Omit<AuthOptions, 'hubUrl' | 'path' | 'subscriptions'>>;
}

/** The guards of the hub's routes, in the order in which they are asked. */
export interface HubGuards {
  /** Default: `PublishGuard`. */
  readonly publish?: readonly Type<CanActivate>[];
  /** Default: `SubscribeGuard`. */
  readonly subscribe?: readonly Type<CanActivate>[];
}

/** What Nest must know before any option can be looked up: `forRootAsync` takes it beside its factory. */
export interface HeraldExtras {
  /** Tells this hub from others of the application: `@InjectHub(name)`. Default: it is the one without a name. */
  readonly name?: string | undefined;
  /**
   * The path of its routes. The default, `/.well-known/mercure`, is fixed by the protocol, and stays outside of the
   * application's global prefix; any other one is below that prefix, as the application's own routes are.
   */
  readonly path?: string;
  /** Whether all modules of the application can inject what this one exports. Default: those that import it. */
  readonly isGlobal?: boolean;
  /** Modules that the resolver, the guards, the journal and the state below get their dependencies from. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** Decides what callers may do, for example from the application's own sessions; by default from tokens. */
  readonly grantsResolver?: Type<GrantsResolver> | undefined;
  /** Guards for the hub's routes, in place of the default ones, which may be among them. */
  readonly guards?: HubGuards;
  /** Applied to each of the hub's controllers, such as one by which the application's own global guard passes them over. */
  readonly decorators?: readonly ClassDecorator[];
  /** The token of a journal of the application's own, from one of the `imports`. The hub closes it. */
  readonly journal?: InjectionToken<Journal> | undefined;
  /**
   * The token of a state of the application's own, from one of the `imports`. The hub closes it. Default: the one that goes
   * with `hub.journal`, also beside a journal of the application's own.
   */
  readonly state?: InjectionToken<SharedState> | undefined;
  /**
   * Which `@Sse()` handlers of the application get what the hub's streams have: those marked with `@ManagedSse()`, which is
   * the default, or all.
   */
  readonly sse?: 'marked' | 'all';
}

export const DEFAULT_EXTRAS: Required<HeraldExtras> = {
  name: undefined,
  path: HUB_PATH,
  isGlobal: false,
  imports: [],
  grantsResolver: undefined,
  guards: {},
  decorators: [],
  journal: undefined,
  state: undefined,
  sse: 'marked',
};

/** All options of one hub, with every default. */
export interface ResolvedOptions {
  readonly streams: StreamOptions;
  readonly drain: DrainOptions;
  readonly hub: HubOptions;
  readonly journal: Omit<JournalOptions, 'addresses'>;
  readonly bodies: BodyOptions;
  readonly batches: BatchOptions;
  readonly auth: AuthOptions;
}

/**
 * Fills in the service's defaults, except that no token is accepted until the application names an issuer, and that streams
 * end at once when the process does.
 * @throws Error if `hubUrl` can't be the hub's.
 */
export function resolveOptions(given: HeraldOptions, path: string): ResolvedOptions {
  const { drain, ...streams } = given.streams ?? {};
  const { journal: journalOption, bodies, batches, ...hub } = given.hub ?? {};
  const journal = typeof journalOption === 'string' ? { url: journalOption } : journalOption;
  const defaults = defaultConfig(journal?.url);
  const hubUrl = hubUrlOf(given.hubUrl, path);
  const { journal: defaultJournal, bodies: defaultBodies, batches: defaultBatches, ...defaultHub } = defaults.hub;
  const hubOptions: HubOptions = { ...defaultHub, ...hub, hubUrl, path };
  return {
    streams: { ...defaults.streams, ...streams },
    drain: { ...defaults.streams.drain, delay: 0, window: 0, ...drain },
    hub: hubOptions,
    journal: journalOf(defaultJournal, journal),
    bodies: { ...defaultBodies, ...bodies },
    batches: { ...defaultBatches, ...batches, tracer: hubOptions.tracer },
    auth: {
      ...defaults.auth,
      resource: hubUrl.href,
      ...given.auth,
      hubUrl,
      path,
      subscriptions: hubOptions.subscriptions.enabled,
    },
  };
}

function journalOf(
  defaults: Config['hub']['journal'],
  given: HeraldJournalOptions = {},
): Omit<JournalOptions, 'addresses'> {
  return {
    ...defaults,
    ...given,
    url: given.url ?? defaults.url,
    retention: { ...defaults.retention, ...given.retention },
    presenceRetention: { ...defaults.presenceRetention, ...given.presenceRetention },
    redis: { ...defaults.redis, ...given.redis },
  };
}

function hubUrlOf(given: URL | string, path: string): URL {
  const url = URL.canParse(String(given)) ? new URL(String(given)) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.pathname.endsWith(path)) return url;
  throw new Error(`Herald's option hubUrl must be the hub's URL for its clients, such as https://example.com${path}.`);
}
