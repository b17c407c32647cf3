import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Herald } from '../../support/herald.js';
import { HUB, Publisher, startHub, subscriberToken, type TokenOptions } from '../../support/hub.js';
import type { Proxy } from '../../clients/support/proxy.js';
import { publishNumbers } from '../../clients/support/updates.js';
import { Follower } from './follower.js';
import type { Language } from './languages.js';

/** Seconds between heartbeats, as the guide advises: less than the shortest time-out that a client has of its own. */
const HEARTBEAT = 4;

export interface FollowOptions extends TokenOptions {
  readonly lastId?: string;
  /** What stands between the program and the hub. */
  readonly proxy?: Proxy;
  /** Heartbeats as seldom as the hub has them by default. */
  readonly heartbeat?: 'default';
}

/** A hub that keeps its log on the disk, a publisher, and the program of one language that follows topics there. */
export class Stage implements AsyncDisposable {
  private constructor(
    private readonly program: { readonly language: Language; readonly folder: string },
    private readonly env: Readonly<Record<string, string>>,
    private readonly journal: string,
    private hub: Herald,
    private publisher: Publisher,
  ) {}

  static async with(program: Stage['program'], more: Readonly<Record<string, string>> = {}): Promise<Stage> {
    const journal = await mkdtemp(join(tmpdir(), 'herald-clients-'));
    const env = { HERALD_JOURNAL: `lmdb:${journal}`, LOG_LEVEL: 'debug', ...more };
    const hub = await startHub(env);
    return new Stage(program, env, journal, hub, await Publisher.of(hub));
  }

  /** Runs the program on a topic, and resolves once the hub has begun a stream for it. */
  async follow(topic: string, options: FollowOptions = {}): Promise<Follower> {
    const before = this.streams;
    const follower = await this.ask(topic, options);
    await Promise.race([this.begins(before + 1), follower.failure()]);
    return follower;
  }

  /** Runs the program on a topic. */
  async ask(topic: string, options: FollowOptions = {}): Promise<Follower> {
    const { lastId = '', heartbeat, proxy, ...token } = options;
    const wish = heartbeat === 'default' ? '' : `&heartbeat=${HEARTBEAT}`;
    const url = `${proxy?.url ?? this.hub.url}${HUB}?match=urn:${topic}${wish}`;
    return this.run({ url, token: await subscriberToken(token), lastId });
  }

  /** Runs the program on the service's own stream. */
  async watchEvents(): Promise<Follower> {
    return this.run({ url: `${this.hub.url}/events`, token: await subscriberToken(), lastId: '' });
  }

  get port(): number {
    return this.hub.port;
  }

  /** Resolves once this process has begun so many streams. */
  async begins(count: number): Promise<void> {
    await this.hub.waitForLog(new RegExp(`(stream opened[^]*){${count}}`));
  }

  /** How many streams this process has begun. */
  get streams(): number {
    return this.hub.logLines().filter(({ msg }) => msg === 'stream opened').length;
  }

  /** Resolves once this process has refused somebody. */
  async refuses(): Promise<void> {
    await this.hub.waitForLog(/"status":4\d\d/);
  }

  /** The statuses of the refusals that this process has answered. */
  get refusals(): unknown[] {
    return this.hub
      .logLines()
      .filter(({ msg, status }) => msg === 'request' && Number(status) >= 400)
      .map(({ status }) => status);
  }

  publish(fields: Parameters<Publisher['publish']>[0]): Promise<string> {
    return this.publisher.publish(fields);
  }

  /** Publishes numbers, from one to another, on a topic. */
  publishNumbers(topic: string, from: number, to: number): Promise<void> {
    return publishNumbers(this.publisher, topic, from, to);
  }

  /** Ends the process and starts another one on the same port with the same log. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    const { port } = this.hub;
    this.publisher[Symbol.dispose]();
    await this.hub.kill(signal);
    this.hub = await startHub(this.env, port);
    this.publisher = await Publisher.of(this.hub);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.publisher[Symbol.dispose]();
    await this.hub[Symbol.asyncDispose]();
    await rm(this.journal, { recursive: true });
  }

  private run(options: { readonly url: string; readonly token: string; readonly lastId: string }): Follower {
    return new Follower(this.program.language, this.program.folder, options);
  }
}
