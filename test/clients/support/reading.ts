import type { Herald } from '../../support/herald.js';
import { Publisher } from '../../support/hub.js';
import type { Reader, Received, SseClient } from '../client.js';
import { Proxy } from './proxy.js';
import { publishNumbers, urlOf } from './updates.js';

/** A client that reads a topic by way of a proxy, and has got the first updates. `await using` ends it. */
export class Reading implements AsyncDisposable {
  private constructor(
    readonly proxy: Proxy,
    readonly reader: Reader,
    readonly publisher: Publisher,
    /** What came so far. */
    readonly seen: readonly Received[],
  ) {}

  /** Publishes the numbers from 1 up to `count`, and resolves when the client has them. */
  static async start(client: SseClient, hub: Herald, topic: string, count: number): Promise<Reading> {
    const proxy = await Proxy.to(hub.port);
    const reader = await client.open({ url: urlOf(proxy, topic) });
    const publisher = await Publisher.of(hub);
    await proxy.answered(1);
    await publishNumbers(publisher, topic, 1, count);
    return new Reading(proxy, reader, publisher, await reader.until(String(count)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.publisher[Symbol.dispose]();
    await this.reader[Symbol.asyncDispose]();
    await this.proxy[Symbol.asyncDispose]();
  }
}
