import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.js';
import { ask, eventsOf, type Fed } from '../client/event-feed.js';
import { ownToken } from '../client/own-token.js';

/** An address that is nobody's (RFC 5737), which no proxy should pass on as the client's. */
export const FORGED = '203.0.113.7';

/** What a hub is looked at with, by the address that its clients have. */
export interface Probe {
  readonly url: URL;
  /** Undefined where the environment has mistakes. */
  readonly config: Config | undefined;
  /** Of the doctor alone: nobody else publishes or reads it. */
  readonly topic: string;
  /** Who the doctor is at the hub, by a token that it has minted; undefined where it has not. */
  readonly subject: string | undefined;
  readonly tokens: { readonly [Action in 'publish' | 'subscribe' | 'admin']: string | undefined };
}

/** Mints what can be minted. A token that was given is taken where there is no secret for one. */
export async function probeOf(url: URL, config: Config | undefined, given: string | undefined): Promise<Probe> {
  const topic = `urn:uuid:${randomUUID()}`;
  const subject = `herald-doctor-${randomUUID()}`;
  const mint = async (action: 'publish' | 'subscribe' | 'admin'): Promise<string | undefined> =>
    config && ownToken(config, url, { action, subject, ...(action !== 'admin' && { topic }) });
  const [publish, subscribe, admin] = await Promise.all([mint('publish'), mint('subscribe'), mint('admin')]);
  return {
    url,
    config,
    topic,
    subject: subscribe && subject,
    tokens: { publish: publish ?? given, subscribe: subscribe ?? given, admin },
  };
}

/** What a client sends to show who it is. */
export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** A stream whose events are waited for, each for a while. */
export class ProbeStream implements Disposable {
  private readonly events: AsyncGenerator<Fed, void>;
  private pending: Promise<Fed | 'over'> | undefined;

  private constructor(readonly response: IncomingMessage) {
    this.events = eventsOf(response);
  }

  static async open({ url, topic, tokens }: Probe): Promise<ProbeStream> {
    const address = new URL(url);
    address.searchParams.append('match', topic);
    const headers = {
      accept: 'text/event-stream',
      'accept-encoding': 'gzip, br',
      'x-forwarded-for': FORGED,
      ...bearer(tokens.subscribe),
    };
    return new ProbeStream(await ask(address, { headers }));
  }

  /** What comes next, unless that takes longer than `patience` milliseconds: then it is still to come. */
  async next(patience: number): Promise<Fed | 'over' | 'late'> {
    this.pending ??= this.read();
    const done = new AbortController();
    const late = delay(patience, 'late' as const, { signal: done.signal }).catch(() => 'late' as const);
    const got = await Promise.race([this.pending, late]);
    done.abort();
    if (got !== 'late') this.pending = undefined;
    return got;
  }

  [Symbol.dispose](): void {
    this.response.destroy();
  }

  private async read(): Promise<Fed | 'over'> {
    try {
      const { value } = await this.events.next();
      return value ?? 'over';
    } catch {
      return 'over';
    }
  }
}
