import { Http2Client, Http2Connection } from '../../support/http2-client.js';
import type { HeaderFields, StreamClient, Target } from '../../support/stream-client.js';
import { subscribeOver, type Transport, transportsAt } from '../../support/transports.js';

/** A way into the hub: a process, and what is spoken with it. */
export interface Way {
  readonly name: string;
  readonly target: Target;
  readonly transport: Transport;
  /** Whether its streams lie beside each other on one connection of HTTP/2. */
  readonly isShared: boolean;
}

/** The ways in to some processes. `await using` closes what is shared. */
export class Doors implements AsyncDisposable {
  private readonly ways: readonly Way[];
  private readonly connections = new Map<string, Promise<Http2Connection>>();

  constructor(targets: readonly Target[]) {
    this.ways = targets.flatMap(waysTo);
  }

  /** Some way for each number, and over the numbers each way. */
  way(number: number): Way {
    const way = this.ways[number % this.ways.length];
    if (!way) throw new Error('there is no way in');
    return way;
  }

  /** Asks for a stream. */
  async enter({ target, transport, isShared }: Way, path: string, headers: HeaderFields): Promise<StreamClient> {
    if (!isShared) return subscribeOver(transport, target, path, headers);
    return Http2Client.subscribe(target, path, headers, { connection: await this.connectionTo(target) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.connections.values()) await (await connection)[Symbol.asyncDispose]();
  }

  /** The connection that is shared, made anew when it is over. */
  private async connectionTo(target: Target): Promise<Http2Connection> {
    const shared = await this.connections.get(target.url);
    if (shared?.isOpen) return shared;
    const connection = Http2Connection.to(target);
    this.connections.set(target.url, connection);
    return connection;
  }
}

function waysTo(target: Target): Way[] {
  const transports = transportsAt(target.url);
  const ways = transports.map((transport): Way => ({ name: transport, target, transport, isShared: false }));
  if (!transports.includes('http2')) return ways;
  return [...ways, { name: 'a shared connection of http2', target, transport: 'http2', isShared: true }];
}
