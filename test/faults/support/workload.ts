import { FaultPublisher, type PublisherOptions } from './publisher.js';
import { FaultReader, type ReaderOptions } from './reader.js';
import { History } from './history.js';
import type { Random } from './random.js';

const TOPIC = 'urn:faults';

/** The last update: who has it has everything. */
const LAST = 'last-0';

export interface WorkloadOptions {
  readonly random: Random;
  /** Where the hubs are: asked for anew each time, as they come and go. */
  readonly urls: () => readonly string[];
}

/** Publishers and readers that go on while a scenario makes trouble. `await using` ends them. */
export class Workload implements AsyncDisposable {
  readonly history = new History();
  private readonly publishers: FaultPublisher[] = [];
  private readonly readers: FaultReader[] = [];

  constructor(private readonly options: WorkloadOptions) {}

  async addPublishers(count: number, options: Partial<PublisherOptions> = {}): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const name = `p${this.publishers.length}`;
      const publisher = await FaultPublisher.of({ ...this.common(), name, ...options });
      this.publishers.push(publisher.start());
    }
  }

  addReader(options: Partial<ReaderOptions> = {}): FaultReader {
    const reader = new FaultReader({ ...this.common(), name: `r${this.readers.length}`, ...options });
    this.readers.push(reader);
    return reader.start();
  }

  addReaders(count: number, options: Partial<ReaderOptions> = {}): void {
    for (let index = 0; index < count; index += 1) this.addReader(options);
  }

  /** Resolves once that many more updates have been acknowledged. */
  async acknowledges(count: number): Promise<void> {
    const { history } = this;
    const wanted = history.acknowledged + count;
    await history.until(`${count} more updates are acknowledged`, () => history.acknowledged >= wanted);
  }

  /** Resolves once every reader's newest update is the one with this id. */
  async readersReach(id: string): Promise<void> {
    const { history, readers } = this;
    await history.until(`all readers have ${id}`, () => readers.every(({ name }) => history.lastIdOf(name) === id));
  }

  /**
   * Publishes one last update when all trouble is over, lets every reader read up to it, and answers with what is held
   * then, in order.
   */
  async finish(): Promise<string[]> {
    const { history } = this;
    await Promise.all(this.publishers.map((publisher) => publisher.stop()));
    const last = await FaultPublisher.of({ ...this.common(), name: 'last', givesUp: 0 });
    this.publishers.push(last);
    void last.publish(LAST);
    await history.until('the last update is acknowledged', () => history.answers.has(LAST));
    await this.readersReach(LAST);
    return this.readLog();
  }

  /** What is held, as a reader sees it that is told of nothing amiss: not every hub may have noticed a loss by now. */
  private async readLog(attempt = 1): Promise<string[]> {
    const { history } = this;
    const reader = this.addReader({ name: `log${attempt}` });
    await history.until('the log is read', () => history.lastIdOf(reader.name) === LAST);
    await reader.stop();
    return history.noticesTo(reader.name).length === 0 ? history.idsOf(reader.name) : this.readLog(attempt + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.publishers, ...this.readers].map((one) => one.stop()));
  }

  private common() {
    const { random, urls } = this.options;
    return { urls, topic: TOPIC, history: this.history, random: random.fork() };
  }
}
