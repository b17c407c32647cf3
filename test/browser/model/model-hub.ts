import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Herald } from '../../support/herald.js';
import { Publisher, startHub } from '../../support/hub.js';

/** A hub whose log outlives it on LMDB. `await using` ends it. */
export class ModelHub implements AsyncDisposable {
  private publisher: Publisher | undefined;
  /** One thing at a time: whoever publishes does so to a hub that is there, and is answered by it. */
  private turn: Promise<void> = Promise.resolve();

  private constructor(
    private herald: Herald,
    private readonly env: Readonly<Record<string, string>>,
    private readonly directory: string,
  ) {}

  /** On `memory` it must not be restarted, as its log is gone then. */
  static async start(journal: 'memory' | 'lmdb'): Promise<ModelHub> {
    const directory = await mkdtemp(join(tmpdir(), 'herald-tabs-'));
    const env = {
      HERALD_JOURNAL: journal === 'lmdb' ? `lmdb:${directory}` : 'memory:',
      // Streams end now and then, and a stream that carries nothing more is noticed soon.
      HERALD_MAX_AGE: '3s',
      HERALD_HEARTBEAT: '500ms',
      HERALD_REQUEST_LOG: 'off',
    };
    return new ModelHub(await startHub(env), env, directory);
  }

  get url(): string {
    return this.herald.url;
  }

  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.take(async () => {
      const { port } = this.herald;
      this.publisher?.[Symbol.dispose]();
      this.publisher = undefined;
      await this.herald.kill(signal);
      this.herald = await startHub(this.env, port);
    });
  }

  /** Publishes something while the hub is there. */
  use(publish: (publisher: Publisher) => Promise<unknown>): Promise<void> {
    return this.take(async () => {
      this.publisher ??= await Publisher.of(this.herald);
      await publish(this.publisher);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.turn.catch(() => undefined);
    this.publisher?.[Symbol.dispose]();
    await this.herald[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true });
  }

  private take(act: () => Promise<void>): Promise<void> {
    const done = this.turn.then(act);
    done.catch(() => undefined);
    this.turn = done;
    return done;
  }
}
