import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Crowd } from '../support/crowd.js';
import { HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';
import { requestTo } from '../support/request.js';

const CROWD = 600;

const REQUEST = `GET ${HUB}?match=urn:a HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`;

/** Over a connection of its own. */
async function checkHealth(url: string): Promise<number | undefined> {
  const request = requestTo(`${url}/health/ready`, { agent: false });
  const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe.each([
  ['HTTP/1.1', {}],
  ['HTTP/1.1 over TLS', TLS_ENVIRONMENT],
])('a crowd that asks for streams at once over %s', (_, env) => {
  it('lets a publication through that came after it, and gets all of its streams', async () => {
    await using herald = await startHub(env);
    using publisher = await Publisher.of(herald);
    // Its connection is there before the crowd comes.
    await publisher.publish({ topic: 'urn:b' });
    await using crowd = new Crowd<RawClient>();
    const clients = await crowd.join(CROWD, () => RawClient.connect(herald));
    let answered = 0;
    const answers = clients.map(async ({ socket }: { socket: Socket }) => {
      await once(socket, 'data');
      answered += 1;
    });
    for (const { socket } of clients) socket.write(REQUEST);
    await publisher.publish({ topic: 'urn:b' });
    expect(answered).toBeLessThan(CROWD / 2);
    await Promise.all(answers);
    expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 200));
  });
});

// Over plain HTTP only: over TLS the handshakes of a crowd take most of the time, those of its clients included.
describe('a crowd that asks for streams at once', () => {
  it('lets a health check through whose connection came after those of the crowd', async () => {
    await using herald = await startHub();
    // Its code has run before, as a health check's has.
    expect(await checkHealth(herald.url)).toBe(200);
    await using crowd = new Crowd<RawClient>();
    let begun = 0;
    const joining = crowd.join(CROWD, async () => {
      const client = await RawClient.subscribe(herald, `${HUB}?match=urn:a`, { accept: 'text/event-stream' });
      await client.until(() => client.status !== 0);
      begun += 1;
      return client;
    });
    expect(await checkHealth(herald.url)).toBe(200);
    expect(begun).toBeLessThan(CROWD / 2);
    await joining;
    expect(begun).toBe(CROWD);
  });
});
