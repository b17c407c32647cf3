import { setTimeout as delay } from 'node:timers/promises';
import { untilConnections } from '../../support/admin.js';
import { Publisher } from '../../support/hub.js';
import type { Command, ReaderDeed } from './command.js';
import { Doors } from './doors.js';
import type { Engine } from './engines.js';
import { type Kept, ModelLog } from './model-log.js';
import { type Interest, ModelReader } from './model-reader.js';

/** What a hub of the model was told to keep, and whether its connections end when they are old. */
export interface Settings {
  readonly kept: Kept;
  readonly hasMaxAge: boolean;
}

/** Milliseconds within which every reader must have the last update. */
const PATIENCE = 15_000;

/** Where updates are soon too old, the last one is published again after so many milliseconds, so often at most. */
const AGEING = { patience: 700, attempts: 20 };

let runs = 0;

/** Does what it is told, and throws when something is wrong with what readers saw. */
export async function run(engine: Engine, settings: Settings, commands: readonly Command[]): Promise<void> {
  try {
    await using model = await Model.of(engine, settings);
    for (const command of commands) await model.act(command);
    await model.finish();
  } catch (error) {
    for (const { child } of engine.heralds) {
      if (child.exitCode === null && child.signalCode === null) continue;
      throw new Error(`the process has ended: ${child.signalCode ?? child.exitCode}`, { cause: error });
    }
    throw error;
  }
}

/** Some readers of a hub, and the log that they ought to see. */
class Model implements AsyncDisposable {
  private readonly doors: Doors;
  private readonly log: ModelLog;
  private readonly readers: readonly ModelReader[];
  private readonly topics: readonly string[];

  private constructor(
    private readonly engine: Engine,
    private readonly settings: Settings,
    private readonly publisher: Publisher,
  ) {
    const name = `m${(runs += 1)}`;
    this.topics = [`https://model.example/${name}/a`, `https://model.example/${name}/b`];
    this.doors = new Doors(engine.heralds);
    this.log = new ModelLog(name, publisher, settings.kept);
    const { doors, log } = this;
    const around = { doors, log, hasMaxAge: settings.hasMaxAge, isFollowing: engine.isFollowing };
    this.readers = interests(this.topics).map(
      (interest, index) => new ModelReader(`${name}r${index}`, interest, around),
    );
  }

  static async of(engine: Engine, settings: Settings): Promise<Model> {
    const [herald] = engine.heralds;
    if (!herald) throw new Error('no process runs');
    return new Model(engine, settings, await Publisher.of(herald));
  }

  async act(command: Command): Promise<void> {
    if (command.do === 'publish') await this.publish(command);
    else if (command.do === 'age') await delay(this.settings.kept.age + 50);
    else if (command.do === 'lose') await this.lose(command);
    else {
      const reader = this.readers[command.reader];
      if (command.do === 'connect') await reader?.connect(command);
      else if (reader) await perform(command.do, reader);
    }
  }

  /** Everybody reads on, and must have seen what there was to see. Then all leave, and must be gone. */
  async finish(): Promise<void> {
    await this.log.idle();
    await Promise.all(this.readers.map((reader) => reader.readOn()));
    const isAgeing = this.settings.kept.age < PATIENCE;
    for (let attempt = 1; ; attempt += 1) {
      await this.log.publish(this.topics, 1, 10);
      const reached = await Promise.all(
        this.readers.map((reader) => reader.reachesLast(isAgeing ? AGEING.patience : PATIENCE)),
      );
      if (reached.every(Boolean)) break;
      if (isAgeing && attempt < AGEING.attempts) continue;
      const deaf = this.readers.filter((_, index) => !reached[index]);
      throw new Error(`deaf: ${deaf.map((reader) => reader.describe()).join('\n')}`);
    }
    const wrong = this.readers.flatMap((reader) => reader.check());
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
    this.readers.forEach((reader, index) => reader.leave(index % 2 === 0 ? 'leave' : 'reset'));
    await Promise.all(this.engine.heralds.map((herald) => untilConnections(herald, ({ length }) => length === 0)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of it may reach into the next run.
    await this.log.idle().catch(() => undefined);
    for (const reader of this.readers) await reader[Symbol.asyncDispose]();
    await this.doors[Symbol.asyncDispose]();
    this.publisher[Symbol.dispose]();
  }

  private async publish({ topic, count, bytes, isAwaited }: Extract<Command, { do: 'publish' }>): Promise<void> {
    const answered = this.log.publish(this.topics.slice(topic, topic + 1), count, bytes);
    if (isAwaited) await answered;
  }

  private async lose({ isAll, count }: Extract<Command, { do: 'lose' }>): Promise<void> {
    if (this.log.hasLost) return;
    await this.log.idle();
    const { length } = this.log;
    if (this.engine.endsConnections) for (const reader of this.readers) reader.loseConnection();
    const lost = await this.engine.lose(isAll, () => this.log.publish(this.topics.slice(0, 1), count, 10));
    if (lost !== 'nothing') this.log.loseAfter(lost === 'all' ? 0 : length);
  }
}

/** What readers want: the same or not, and by other means. Those that want the same are written to together. */
function interests([a = '', b = '']: readonly string[]): readonly Interest[] {
  const one: Interest = { query: `match=${a}`, topics: [a] };
  const both: Interest = { query: `match=${a}&match=${b}`, topics: [a, b] };
  const any = encodeURIComponent(a.replace(/a$/, ':any'));
  const named: Interest = { query: `match_urlpattern=${any}&with=topics`, topics: [a, b] };
  const evaluated: Interest = {
    query: `match_urlpattern=${encodeURIComponent(a.replace(/a$/, ':any([ab])'))}&with=topics`,
    topics: [a, b],
  };
  const conflated: Interest = { ...both, query: `${both.query}&max_rate=20`, isConflated: true };
  return [one, one, evaluated, both, conflated, named];
}

async function perform(deed: ReaderDeed, reader: ModelReader): Promise<void> {
  if (deed === 'stall') reader.stall();
  else if (deed === 'read') reader.read();
  else if (deed === 'dismiss' || deed === 'revoke') await reader.dismiss(deed);
  else reader.leave(deed);
}
