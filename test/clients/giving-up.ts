import type { Herald } from '../support/herald.js';
import type { SseClient } from './client.js';
import { type Exchange, Proxy } from './support/proxy.js';
import { Reading } from './support/reading.js';
import { urlOf } from './support/updates.js';

/**
 * Milliseconds: the longest delay that the hub itself asks for, and longer than any that a client here has of its own.
 * Who has not tried again by then has stopped.
 */
const WATCH = 4_000;

/** Something that is watched for several clients at once. What comes of it is told, or thrown, to who asks for it. */
export class Observations {
  private readonly outcomes: ReadonlyMap<SseClient, Promise<PromiseSettledResult<readonly Exchange[]>>>;

  constructor(clients: readonly SseClient[], observe: (client: SseClient) => Promise<readonly Exchange[]>) {
    this.outcomes = new Map(clients.map((client) => [client, settled(observe(client))]));
  }

  async of(client: SseClient): Promise<readonly Exchange[]> {
    const outcome = await this.outcomes.get(client);
    if (outcome?.status === 'fulfilled') return outcome.value;
    throw outcome?.reason ?? new Error(`nobody has watched ${client.name}`);
  }

  /** Resolves once nothing is under way any more. */
  async over(): Promise<void> {
    await Promise.all(this.outcomes.values());
  }
}

/** What a client asks a hub that answers 401: until it has plainly stopped, or three times. */
export async function attemptsWhenRefused(client: SseClient, strict: Herald): Promise<readonly Exchange[]> {
  await using proxy = await Proxy.to(strict.port);
  await using reader = await client.open({ url: urlOf(proxy, 'refused') });
  if (client.onRefusal === 'tries again') return await proxy.answered(3);
  await reader.failed();
  await watch();
  return proxy.requests;
}

/** What a client that gives up asks when a gateway answers 502 while the hub is away. */
export async function attemptsAtBadGateway(client: SseClient, hub: Herald): Promise<readonly Exchange[]> {
  await using reading = await Reading.start(client, hub, 'bad-gateway', 1);
  const { proxy, reader } = reading;
  proxy.failLikeGateway();
  await reader.resume?.();
  await proxy.failedLikeGateway();
  proxy.restore();
  await watch();
  return proxy.requests;
}

/** That something does not happen can only be watched for a time. */
function watch(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, WATCH));
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome;
}
