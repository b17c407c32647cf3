import { Http2Client } from './http2-client.js';
import { RawClient } from './raw-client.js';
import type { HeaderFields, StreamClient, Target } from './stream-client.js';

/** How a reader reaches a hub: HTTP/1.1, HTTP/1.1 over TLS, or HTTP/2 over TLS. */
export type Transport = 'http1' | 'tls' | 'http2';

export const TRANSPORTS: readonly Transport[] = ['http1', 'tls', 'http2'];

/** What is spoken at an address: a process speaks plain HTTP/1.1, or both of the others on one port. */
export function transportsAt(url: string): readonly [Transport, ...Transport[]] {
  return url.startsWith('https:') ? ['tls', 'http2'] : ['http1'];
}

/** Asks for a stream over one of the transports, each of which must be spoken at the target. */
export function subscribeOver(
  transport: Transport,
  target: Target,
  path: string,
  headers: HeaderFields = {},
): Promise<StreamClient> {
  if (!transportsAt(target.url).includes(transport)) throw new Error(`${target.url} does not speak ${transport}`);
  const client = transport === 'http2' ? Http2Client : RawClient;
  return client.subscribe(target, path, headers);
}
