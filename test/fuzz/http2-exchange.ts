import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { Http2Connection } from '../support/http2-client.js';
import { connectTcp, secure } from '../support/sockets.js';
import { type Exchange, Inflow, LARGEST, PATIENCE } from './exchange.js';
import { isAnswered } from './http2-frames.js';
import type { Draft } from './requests.js';

/** Sends a request as Node's client of HTTP/2 does, on a connection of its own. Nothing, where that does not send it. */
export async function exchangeHttp2(url: string, draft: Draft): Promise<Exchange | undefined> {
  await using connection = await Http2Connection.to({ url });
  const stream = begin(connection, draft);
  if (!stream) return undefined;
  stream.on('error', () => undefined);
  stream.end(draft.body);
  let head: IncomingHttpHeaders | undefined;
  let body = '';
  stream.setEncoding('utf8').on('data', (text: string) => (body.length < LARGEST ? (body += text) : undefined));
  stream.once('response', (given) => {
    head = given;
    if (isStream(given)) stream.close();
  });
  // Once the answer is complete, nobody has to take the rest of the request.
  stream.once('end', () => stream.close(constants.NGHTTP2_CANCEL));
  const isOver = await closes(stream);
  if (!head) return { answers: [], rest: '', isOver };
  const pairs = Object.entries(head).map(([name, value]) => [name, String(value)] as const);
  const answer = {
    status: Number(head[':status']),
    headers: Object.fromEntries(pairs),
    body: isStream(head) ? '' : body,
  };
  return { answers: [answer], rest: '', isOver };
}

/** Sends frames of HTTP/2, whatever they are. What is answered is not read; the service must let go when the client does. */
export async function exchangeFrames(url: string, bytes: Buffer): Promise<Exchange> {
  const socket = await secure(await connectTcp(url, { allowHalfOpen: true }), 'h2');
  const inflow = new Inflow(socket);
  socket.write(bytes);
  await inflow.untilSilence(() => isAnswered(inflow.bytes));
  socket.end();
  const isOver = await inflow.untilEnd();
  socket.destroy();
  return { answers: [], rest: '', isOver };
}

/** Whether a stream is over within a long while, be it by an error. */
function closes(stream: ClientHttp2Stream): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE, false);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function begin({ session }: Http2Connection, { method, target, headers }: Draft): ClientHttp2Stream | undefined {
  const fields: OutgoingHttpHeaders = { ':method': method, ':path': target };
  for (const [name, value] of headers) {
    const key = name === 'host' ? ':authority' : name;
    const before = fields[key];
    fields[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  try {
    return session.request(fields, { endStream: false });
  } catch {
    return undefined;
  }
}

function isStream(head: IncomingHttpHeaders): boolean {
  return Number(head[':status']) === 200 && String(head['content-type']).startsWith('text/event-stream');
}
