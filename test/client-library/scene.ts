import { FaultProxy } from '../support/fault-proxy.js';
import { type Herald } from '../support/herald.js';
import { Publisher, startHub } from '../support/hub.js';
import { Reader } from './reader.js';

/** A hub behind a proxy that can keep it away, somebody who publishes there, and a reader of `urn:t` whose stream is open. */
export class Scene implements AsyncDisposable {
  private constructor(
    readonly herald: Herald,
    readonly proxy: FaultProxy,
    readonly publisher: Publisher,
    readonly reader: Reader,
  ) {}

  static async open(env: Readonly<Record<string, string>> = {}): Promise<Scene> {
    const herald = await startHub(env);
    const proxy = await FaultProxy.before(herald.port);
    const scene = new Scene(herald, proxy, await Publisher.of(herald), Reader.of(proxy.url));
    scene.reader.read('urn:t');
    await scene.reader.isOpen();
    return scene;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reader[Symbol.dispose]();
    this.publisher[Symbol.dispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.herald[Symbol.asyncDispose]();
  }
}
