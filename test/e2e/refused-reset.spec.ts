import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { send } from '../support/event-stream.js';
import { HUB, startHub, subscribe } from '../support/hub.js';

it('a client that was refused a stream and resets its connection harms nobody', async () => {
  await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1' });
  await using _stream = await subscribe(herald, { query: 'match=a' });
  const socket = connect(herald.port, '127.0.0.1');
  socket.write(`GET ${HUB}?match=a HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n`);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  while (!text.includes('overloaded')) await once(socket, 'data');
  socket.resetAndDestroy();
  await once(socket, 'close');
  // Both look at what has come in before they answer.
  for (let round = 0; round < 2; round += 1) {
    expect((await send(`${herald.url}/health/live`)).resume().statusCode).toBe(200);
  }
  expect(herald.logs()).not.toContain('uncaught');
});
