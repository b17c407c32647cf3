import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';

/** A server of HTTP/2 over TLS, for whoever has one of HTTP/1.1. Its certificate is one that browsers do not know. */
export async function listenOverHttp2(): Promise<Server> {
  const read = (name: string): Buffer => readFileSync(new URL(`../../support/certificates/${name}`, import.meta.url));
  const server = createSecureServer({ cert: read('first.crt'), key: read('first.key') });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  // A browser that goes away in the middle of something is no fault.
  const ignore = (): void => undefined;
  server.on('sessionError', ignore);
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    request.on('error', ignore);
    response.on('error', ignore);
  });
  const closeAllConnections = (): void => {
    for (const session of sessions) session.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(server, { closeAllConnections }) as unknown as Server;
}
