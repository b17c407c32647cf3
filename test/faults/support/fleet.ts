import { type Herald, startHerald } from '../../support/herald.js';
import { HUB_ENVIRONMENT } from '../../support/hub.js';

/** Instances of the service on ports that they keep, so that they can be killed and started again. */
export class Fleet implements AsyncDisposable {
  private constructor(private readonly members: { herald: Herald; readonly env: Readonly<Record<string, string>> }[]) {}

  /** One instance for each environment. */
  static async start(environments: readonly Readonly<Record<string, string>>[]): Promise<Fleet> {
    const started = environments.map(async (env) => ({ env, herald: await startHerald({ env: withKeys(env) }) }));
    return new Fleet(await Promise.all(started));
  }

  get size(): number {
    return this.members.length;
  }

  get heralds(): readonly Herald[] {
    return this.members.map(({ herald }) => herald);
  }

  readonly urls = (): readonly string[] => this.members.map(({ herald }) => herald.url);

  /** Ends an instance: without a warning, unless it is said how. */
  async kill(index: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.members[index]?.herald.kill(signal);
  }

  /** Starts one that has ended again, at the same address. */
  async revive(index: number): Promise<void> {
    const member = this.members[index];
    if (member) member.herald = await startHerald({ env: withKeys(member.env), port: member.herald.port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map(({ herald }) => herald[Symbol.asyncDispose]()));
  }
}

function withKeys(env: Readonly<Record<string, string>>): Record<string, string> {
  return { ...HUB_ENVIRONMENT, ...env };
}
