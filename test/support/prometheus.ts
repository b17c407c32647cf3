import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { send, textOf } from './event-stream.js';

const CONFIGURATION = `
global: { evaluation_interval: 200ms }
rule_files: [rules.yaml]
scrape_configs:
  - job_name: herald
    scrape_interval: 200ms
    scrape_timeout: 200ms
    static_configs: [{ targets: ['TARGET'] }]
`;

/** An alert that is pending or firing, by name. */
export interface ActiveAlert {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
}

interface Answer {
  readonly data?: {
    readonly result: { readonly value: [number, string] }[];
    readonly alerts: { readonly state: ActiveAlert['state']; readonly labels: Readonly<Record<string, string>> }[];
  };
}

/** A real Prometheus that scrapes one address, and goes by rules as a file has them. */
export class Prometheus implements AsyncDisposable {
  private constructor(
    private readonly url: string,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(program: string, target: string, rules = 'groups: []'): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'herald-prometheus-'));
    const file = join(directory, 'prometheus.yml');
    await writeFile(file, CONFIGURATION.replace('TARGET', target));
    await writeFile(join(directory, 'rules.yaml'), rules);
    const child = spawn(
      program,
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${directory}/data`,
        '--web.listen-address=127.0.0.1:0',
        '--log.format=json',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const port = new Promise<string>((resolve, reject) => {
      let output = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [, found] = /"address":"127\.0\.0\.1:([1-9]\d*)"/.exec(output) ?? [];
        if (found) resolve(found);
      });
      child.once('exit', (code) => reject(new Error(`Prometheus has ended with ${code}:\n${output}`)));
    });
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true });
    };
    return new Prometheus(`http://127.0.0.1:${await port}`, stop);
  }

  /** The newest value of an expression; undefined where there is none. */
  async query(expression: string): Promise<number | undefined> {
    const { data } = await this.ask(`query?query=${encodeURIComponent(expression)}`);
    const value = data?.result[0]?.value[1];
    return value === undefined ? undefined : Number(value);
  }

  /** Resolves once an expression has a value. */
  async until(expression: string, expected: number): Promise<void> {
    const seen = await lookUntil(
      () => this.query(expression),
      (value) => value === expected,
    );
    if (seen !== expected) throw new Error(`${expression} is ${seen} and not ${expected}`);
  }

  /** The alerts that are pending or firing now. */
  async alerts(): Promise<ActiveAlert[]> {
    const { data } = await this.ask('alerts');
    return (data?.alerts ?? []).map(({ state, labels }) => ({ name: labels['alertname'] ?? '', state, labels }));
  }

  /** Resolves with an alert once it is firing. */
  async untilFiring(name: string): Promise<ActiveAlert> {
    const isMeant = (alert: ActiveAlert): boolean => alert.name === name && alert.state === 'firing';
    const seen = await lookUntil(
      () => this.alerts(),
      (alerts) => alerts.some(isMeant),
    );
    const found = seen?.find(isMeant);
    if (!found) throw new Error(`${name} is not firing, but ${JSON.stringify(seen)}`);
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async ask(path: string): Promise<Answer> {
    return JSON.parse(await textOf(await send(`${this.url}/api/v1/${path}`))) as Answer;
  }
}

/** Looks again and again until something is as it should be, and gives what was seen last. */
async function lookUntil<T>(look: () => Promise<T>, isRight: (seen: T) => boolean): Promise<T | undefined> {
  const deadline = performance.now() + 20_000;
  let seen: T | undefined;
  while (performance.now() < deadline) {
    seen = await look().catch(() => undefined);
    if (seen !== undefined && isRight(seen)) return seen;
    await delay(50);
  }
  return seen;
}
