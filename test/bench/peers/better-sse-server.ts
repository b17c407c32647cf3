import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type Channel, createChannel, createSession } from 'better-sse';

/** As many as the benchmark has topics, with room to spare. */
const MAX_CHANNELS = 20_000;
const channels = new Map<string, Channel>();

function channelOf(topic: string): Channel {
  const known = channels.get(topic);
  if (known !== undefined) return known;
  if (channels.size === MAX_CHANNELS) throw new Error('too many topics');
  const channel = createChannel();
  channels.set(topic, channel);
  return channel;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '/';
  if (path === '/ready') {
    response.end('ready');
  } else if (request.method === 'POST') {
    channelOf(path).broadcast(await bodyOf(request));
    response.end('published');
  } else {
    channelOf(path).register(await createSession(request, response, { keepAlive: 20_000 }));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
