import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { PATIENCE } from './stream-client.js';

/** A connection to where an address leads to. */
export async function connectTcp(url: string, options: { readonly allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, ...options });
  await openOrGone(socket, 'connect');
  return socket;
}

/** TLS on a connection, which takes any certificate and speaks one protocol. */
export async function secure(tcp: Socket, protocol: 'http/1.1' | 'h2'): Promise<TLSSocket> {
  const socket = connectTls({ socket: tcp, rejectUnauthorized: false, ALPNProtocols: [protocol] });
  await openOrGone(socket, 'secureConnect');
  return socket;
}

/** Resolves once it is open. One that does not come to that is left to nobody. */
async function openOrGone(socket: Socket, event: string): Promise<void> {
  // Whoever uses it is told by `close`.
  socket.on('error', () => undefined);
  try {
    await once(socket, event, { signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
