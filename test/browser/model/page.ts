import type { Match } from '../../../client/lib/matcher.js';

/** Something that a page has seen. */
export interface Entry {
  /** By `Date.now()`: all processes of a machine have the same clock. */
  readonly at: number;
  /** `state` is what a subscription says of itself, `client` what the client does; `person` says who reads from now on. */
  readonly what: 'live' | 'state' | 'gap' | 'message' | 'stopped' | 'person' | 'client' | 'error';
  /** The number that the subscription was given, where it is about one. */
  readonly subscription?: number;
  /** The id of a message, a state, a reason or an error. */
  readonly detail?: string;
  readonly topic?: string;
  /** The place in the list of people. */
  readonly person?: number;
}

/** Who reads in a page. */
export interface Reader {
  readonly person: number;
  /** Whether that person has a token. */
  readonly hasToken: boolean;
}

/** What the model does in a page. */
interface ModelPage {
  readonly log: Entry[];
  subscribe(subscription: number, match: Match): void;
  stop(subscription: number): void;
  become(reader: Reader): void;
}

/** In which pages the model is. */
export interface ModelGlobals {
  readonly model?: ModelPage;
}

/** Runs in the page: makes a client, and `model`. */
export async function startPage(first: Reader): Promise<void> {
  type Provider = (() => Promise<string>) | undefined;
  const path = '/herald/client.js';
  const { createHeraldClient } = (await import(path)) as typeof import('../../../client/lib/index.js');
  const providerFor = ({ person, hasToken }: Reader): Provider => {
    if (!hasToken) return undefined;
    return async () => {
      const response = await fetch(`/token/${person}`);
      if (!response.ok) throw new Error('There is no token now.');
      return response.text();
    };
  };
  const token = providerFor(first);
  const client = createHeraldClient({ backoff: { min: 20, max: 200 }, ...(token && { token }) });
  const log: Entry[] = [];
  const note = (entry: Omit<Entry, 'at'>): void => void log.push({ at: Date.now(), ...entry });
  client.on('state', (detail) => note({ what: 'client', detail }));
  client.on('error', ({ code, message }) => note({ what: 'error', detail: `${code}: ${message}` }));
  const stops = new Map<number, () => void>();
  const model: ModelPage = {
    log,
    subscribe(subscription, match) {
      const options = {
        onLive: () => note({ what: 'live', subscription }),
        onGap: ({ type, reason }: { type: string; reason?: string }) =>
          note({ what: 'gap', subscription, detail: `${type} ${reason ?? ''}` }),
        onState: (detail: string) => note({ what: 'state', subscription, detail }),
      };
      const take = ({ id = '', topic }: { id?: string | undefined; topic: string }): void =>
        note({ what: 'message', subscription, detail: id, topic });
      stops.set(subscription, client.subscribe(match, take, options));
    },
    stop(subscription) {
      stops.get(subscription)?.();
      note({ what: 'stopped', subscription });
    },
    become(reader) {
      client.setToken(providerFor(reader));
      note({ what: 'person', person: reader.person });
    },
  };
  Object.assign(globalThis, { model });
}
