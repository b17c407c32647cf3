import type { Logger } from '@nestjs/common';
import type { RedisConnection } from './redis-connection.js';

/** How Redis keeps what it is given, as far as it tells. */
interface Keeping {
  readonly maxMemory: string | undefined;
  readonly policy: string | undefined;
  readonly appendOnly: boolean | undefined;
}

/** Warns where Redis may lose updates by the way it is configured, of each server once. */
export class RedisAdvice {
  private readonly told = new Set<string>();

  constructor(private readonly logger: Pick<Logger, 'log' | 'warn'>) {}

  /** Resolves once the server has been asked. Never rejects: a server that does not tell is used all the same. */
  async look({ client }: Pick<RedisConnection, 'client'>): Promise<void> {
    const { maxMemory, policy, appendOnly } = await keepingOf(client).catch(() => NOTHING_TOLD);
    if (policy === undefined || appendOnly === undefined) {
      this.tell('log', 'Redis does not tell how it is configured: see that it has "noeviction" and "appendonly yes".');
      return;
    }
    if (policy !== 'noeviction') this.tellOfEviction(policy, maxMemory === '0');
    if (appendOnly) return;
    this.tell(
      'warn',
      'Redis writes no append-only file, so it loses updates when it ends: set "appendonly yes" there.',
    );
  }

  private tellOfEviction(policy: string, isUnlimited: boolean): void {
    const remedy = `set "maxmemory-policy noeviction" there, with which a full Redis refuses updates instead.`;
    if (isUnlimited) this.tell('log', `Redis would evict updates as soon as it has a maxmemory (${policy}): ${remedy}`);
    else this.tell('warn', `Redis evicts updates when its memory is full (${policy}): ${remedy}`);
  }

  private tell(level: 'log' | 'warn', message: string): void {
    if (this.told.has(message)) return;
    this.told.add(message);
    this.logger[level](message);
  }
}

const NOTHING_TOLD: Keeping = { maxMemory: undefined, policy: undefined, appendOnly: undefined };

/** Managed servers and restricted users may do one of the two and not the other. */
function keepingOf(client: RedisConnection['client']): Promise<Keeping> {
  return fromInfo(client).catch(() => fromConfig(client));
}

async function fromInfo(client: RedisConnection['client']): Promise<Keeping> {
  const [memory, persistence] = await Promise.all([client.info('memory'), client.info('persistence')]);
  const policy = fieldIn(memory, 'maxmemory_policy');
  const aof = fieldIn(persistence, 'aof_enabled');
  if (policy === undefined || aof === undefined) throw new Error('this server tells something else');
  return { maxMemory: fieldIn(memory, 'maxmemory'), policy, appendOnly: aof === '1' };
}

function fieldIn(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:([\\w-]+)`, 'm').exec(info)?.[1];
}

async function fromConfig(client: RedisConnection['client']): Promise<Keeping> {
  const valueOf = async (name: string): Promise<string | undefined> => {
    const answer: unknown = await client.config('GET', name);
    return Array.isArray(answer) && answer.length > 1 ? String(answer[1]) : undefined;
  };
  const names = ['maxmemory', 'maxmemory-policy', 'appendonly'];
  const [maxMemory, policy, appendOnly] = await Promise.all(names.map(valueOf));
  return { maxMemory, policy, appendOnly: appendOnly === undefined ? undefined : appendOnly === 'yes' };
}
