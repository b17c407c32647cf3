import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Herald } from '../../../support/herald.js';
import { noticesOf, startHub, subscribe, updatesOf } from '../../../support/hub.js';
import { FaultPublisher, type PublisherOptions } from './publisher.js';
import { FaultReader, type ReaderOptions } from './reader.js';
import { History } from './history.js';
import type { Random } from './random.js';

export const TOPIC = 'urn:faults';

/** A hub that is killed and started again at the same place, and those who use it. `await using` ends all of it. */
export class Rig implements AsyncDisposable {
  readonly history = new History();
  readonly publishers: FaultPublisher[] = [];
  readonly readers: FaultReader[] = [];
  private herald: Herald | undefined;
  private url = '';

  private constructor(
    private readonly env: Readonly<Record<string, string>>,
    private readonly random: Random,
    private readonly directory: string | undefined,
  ) {}

  /** With an LMDB journal in a directory of its own, unless `env` says where. */
  static async start(random: Random, env: Readonly<Record<string, string>> = {}): Promise<Rig> {
    const directory = env['HERALD_JOURNAL'] ? undefined : await mkdtemp(join(tmpdir(), 'herald-faults-'));
    const rig = new Rig({ ...(directory && { HERALD_JOURNAL: `lmdb:${directory}` }), ...env }, random, directory);
    await rig.startHub();
    return rig;
  }

  get hub(): Herald {
    if (!this.herald) throw new Error('the hub is not running');
    return this.herald;
  }

  /** Starts the hub where it was before. */
  async startHub(): Promise<void> {
    this.herald = await startHub(this.env, this.url ? Number(new URL(this.url).port) : 0);
    this.url = this.herald.url;
  }

  async stopHub(signal: NodeJS.Signals): Promise<void> {
    await this.hub.kill(signal);
    this.herald = undefined;
  }

  async addPublishers(count: number, options: Partial<PublisherOptions> = {}): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const publisher = new FaultPublisher({ ...this.common(), name: `p${this.publishers.length}`, ...options });
      this.publishers.push(await publisher.start());
    }
  }

  addReader(options: Partial<ReaderOptions> = {}): FaultReader {
    const reader = new FaultReader({ ...this.common(), name: `r${this.readers.length}`, ...options });
    this.readers.push(reader.start());
    return reader;
  }

  async stopPublishers(): Promise<void> {
    await Promise.all(this.publishers.map((publisher) => publisher.stop()));
  }

  /** What the hub holds, in its order. */
  async readLog(): Promise<string[]> {
    await using stream = await subscribe(this.hub, { query: `match=${TOPIC}&last_event_id=earliest` });
    await stream.until(() => noticesOf(stream).some(({ type }) => type === 'caught-up'));
    return updatesOf(stream).map(({ id }) => id ?? '');
  }

  /** Resolves once every reader has come to `id`. */
  async readersReach(id: string | undefined): Promise<void> {
    const { history, readers } = this;
    if (id === undefined) return;
    await history.until(`all readers have ${id}`, () =>
      readers.every((_, index) => history.lastIdOf(`r${index}`) === id),
    );
  }

  /** Resolves once that many more updates have been acknowledged. */
  async acknowledges(count: number): Promise<void> {
    const { history } = this;
    const wanted = history.acknowledged + count;
    await history.until(`${count} more updates are acknowledged`, () => history.acknowledged >= wanted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopPublishers();
    await Promise.all(this.readers.map((reader) => reader.stop()));
    await this.herald?.[Symbol.asyncDispose]();
    if (this.directory) await rm(this.directory, { recursive: true });
  }

  private common() {
    return { url: () => this.url, topic: TOPIC, history: this.history, random: this.random.fork() };
  }
}
