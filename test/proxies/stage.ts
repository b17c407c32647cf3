import type { EventSourceMessage } from 'eventsource-parser';
import { Edge, NOBODY } from '../support/edge.js';
import type { EdgeKind } from '../support/edge-kinds.js';
import { EventStream, send } from '../support/event-stream.js';
import { Http2Client, type Http2Connection } from '../support/http2-client.js';
import { ADMIN_KEY, HUB, Publisher, startHub } from '../support/hub.js';
import type { Herald } from '../support/herald.js';
import type { HeaderFields, Target } from '../support/stream-client.js';

/** How a reader reaches the proxy. */
export const EDGE_TRANSPORTS = ['HTTP/1.1', 'HTTP/2'] as const;

export type EdgeTransport = (typeof EDGE_TRANSPORTS)[number];

export interface StageOptions {
  /** More of the hub's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of pages that may read streams beside those of the proxy's own. */
  readonly origin?: string;
  /** The other Herald is the same process. By default it is not there. */
  readonly isTwice?: boolean;
}

/** A proxy with one Herald behind it. `await using` ends all of it. */
export class Stage implements AsyncDisposable {
  private constructor(
    readonly hub: Herald,
    readonly edge: Edge,
    /** Publishes through the proxy. */
    readonly publisher: Publisher,
  ) {}

  static async set(kind: EdgeKind, program: string, { env, origin, isTwice }: StageOptions = {}): Promise<Stage> {
    const hub = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_HEARTBEAT: '0', ...env });
    const address = `127.0.0.1:${hub.port}`;
    const options = { program, hubs: [address, isTwice ? address : NOBODY] as const, ...(origin && { origin }) };
    const edge = await Edge.start(kind, options);
    return new Stage(hub, edge, await Publisher.of(edge));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.publisher[Symbol.dispose]();
    await this.edge[Symbol.asyncDispose]();
    await this.hub[Symbol.asyncDispose]();
  }
}

/** A stream, whatever it came over. */
export interface Reader extends AsyncDisposable {
  readonly lastEventId: string;
  /** The data of all events so far. */
  data(): string[];
  /** Resolves once so many events have come. */
  take(count: number): Promise<string[]>;
}

export interface ReadOptions {
  readonly headers?: HeaderFields;
  /** Of HTTP/2, that others use as well. */
  readonly connection?: Http2Connection;
}

/** Opens a stream and resolves once it has begun. */
export async function read(
  transport: EdgeTransport,
  target: Target,
  query: string,
  { headers = {}, connection }: ReadOptions = {},
): Promise<Reader> {
  const path = `${HUB}?${query}`;
  const all = { accept: 'text/event-stream', ...headers };
  if (transport === 'HTTP/2') {
    const client = await Http2Client.subscribe(target, path, all, connection && { connection });
    await client.until(({ hasBegun, status }) => hasBegun && status === 200);
    return readerOf(client, (count) => client.until(({ events }) => events.length >= count));
  }
  const stream = new EventStream(await send(target.url + path, { headers: all }));
  await stream.until(({ response, retries }) => retries.length > 0 && response.statusCode === 200);
  return readerOf(stream, (count) => stream.take(count));
}

interface Source extends AsyncDisposable {
  readonly events: EventSourceMessage[];
  readonly lastEventId: string;
}

function readerOf(source: Source, until: (count: number) => Promise<unknown>): Reader {
  const data = (): string[] => source.events.filter(({ event }) => event !== 'herald').map((one) => one.data);
  return {
    get lastEventId() {
      return source.lastEventId;
    },
    data,
    take: async (count) => {
      await until(count + source.events.length - data().length);
      return data();
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}
