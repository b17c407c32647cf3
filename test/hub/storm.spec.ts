import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Crowd } from '../support/crowd.js';
import { HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';

const CROWD = 600;

const REQUEST = `GET ${HUB}?match=urn:a HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`;

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
