import { defaultConfig } from '../../src/config/config.js';
import { GuardedGrants } from '../../src/access/guarded-grants.js';
import { topicAddresses } from '../../src/hub/matching/url-pattern/topic-addresses.js';
import { HubService } from '../../src/hub/service/hub.service.js';
import type { HubOptions } from '../../src/hub/service/hub.options.js';
import type { Journal, Retention } from '../../src/storage/journal/journal.js';
import { openJournal } from '../../src/storage/open-journal.js';
import { openState } from '../../src/storage/open-state.js';
import { StreamRegistry } from '../../src/streams/registry/stream-registry.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

interface InProcessHubOptions {
  /** The journal's. Default: in memory. */
  readonly url?: string;
  readonly retention?: Partial<Retention>;
  /** In place of the one that the URL names. */
  readonly journal?: Journal;
  readonly recentBytes?: number;
  readonly subscriptions?: HubOptions['subscriptions'];
}

/** A hub without HTTP, as an application has it in its own process. */
export class InProcessHub implements AsyncDisposable {
  private constructor(
    readonly hub: HubService,
    readonly streams: StreamRegistry,
    readonly journal: Journal,
  ) {}

  static async open(options: InProcessHubOptions = {}): Promise<InProcessHub> {
    const { url = 'memory:', recentBytes = 1024 ** 2, subscriptions = { enabled: false, grace: 0 } } = options;
    const { hub: defaults } = defaultConfig(url);
    const retention = { ...defaults.journal.retention, ...options.retention };
    const addresses = topicAddresses(HUB_URL);
    const journal = options.journal ?? (await openJournal({ ...defaults.journal, url, retention, addresses }));
    const streams = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 });
    const state = await openState({ ...defaults.journal, url }, subscriptions.grace);
    const hub = new HubService(journal, streams, state, new GuardedGrants(), {
      ...defaults,
      hubUrl: HUB_URL,
      recentBytes,
      subscriptions,
    });
    return new InProcessHub(hub, streams, journal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub.beforeApplicationShutdown();
    await this.hub.onApplicationShutdown();
  }
}

/** Resolves once something is the case, in a later turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
