import { constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askAdmin, listConnections, untilConnections } from '../support/admin.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { Http2Client, Http2Connection } from '../support/http2-client.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, TRANSPORTS } from '../support/transports.js';

const PATH = `${HUB}?match=urn:t`;

/** More than lies between a process and a reader that has stopped, over any transport. */
const MANY = 80;
const LARGE = 'x'.repeat(200_000);

function idsOf({ events }: StreamClient): (string | undefined)[] {
  return events.filter(({ event }) => event !== 'herald').map(({ id }) => id);
}

describe.each(TRANSPORTS)('a reader over %s', (transport) => {
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, ...(transport !== 'http1' && TLS_ENVIRONMENT) });
    publisher = await Publisher.of(herald);
  });
  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald[Symbol.asyncDispose]();
  });

  async function open(): Promise<StreamClient> {
    const client = await subscribeOver(transport, herald, PATH);
    return client.until(({ hasBegun }) => hasBegun);
  }

  it('gets what is published, whatever characters it has', async () => {
    await using client = await open();
    const data = 'é'.repeat(70_000);
    const id = await publisher.publish({ topic: 'urn:t', data });
    await client.until(({ events }) => events.length > 0);
    expect([client.status, client.events]).toEqual([200, [expect.objectContaining({ id, data })]]);
  });

  it('that stops reading is full, and gets everything in order once it reads on', async () => {
    await using client = await open();
    client.stall();
    const ids: string[] = [];
    for (let count = 0; count < MANY; count += 1) ids.push(await publisher.publish({ topic: 'urn:t', data: LARGE }));
    await untilConnections(herald, (connections) => connections.some(({ isFull }) => isFull));
    expect(client.events.length).toBeLessThan(MANY);
    client.read();
    await client.until(() => idsOf(client).length === MANY);
    expect(idsOf(client)).toEqual(ids);
  });

  it.each([
    ['leaves', (client: StreamClient) => client.leave()],
    ['breaks its connection', (client: StreamClient) => client.reset()],
  ])('that %s is not counted any more', async (_, go) => {
    await using client = await open();
    await using stayer = await open();
    go(client);
    await untilConnections(herald, ({ length }) => length === 1);
    const id = await publisher.publish({ topic: 'urn:t', data: 'x' });
    await stayer.until(() => idsOf(stayer).length > 0);
    expect(idsOf(stayer)).toEqual([id]);
  });

  it('is told why it is ended, and its answer comes to its proper end', async () => {
    await using client = await open();
    const [listed] = await listConnections(herald);
    const { body } = await askAdmin(herald, 'DELETE', `connections?id=${listed?.id}`);
    expect(body).toEqual({ disconnected: 1 });
    await client.until(({ ended }) => ended);
    expect(client.events.map(({ data }) => JSON.parse(data) as object)).toEqual([{ type: 'dismissed' }]);
    expect(client.isComplete).toBe(true);
    await untilConnections(herald, ({ length }) => length === 0);
  });
});

describe('readers on one connection of HTTP/2', () => {
  it('leave without an error, one by one, and are not counted any more', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, ...TLS_ENVIRONMENT });
    await using connection = await Http2Connection.to(herald);
    const streams = Array.from({ length: 50 }, () => Http2Client.subscribe(herald, PATH, {}, { connection }));
    const clients = await Promise.all(streams);
    await Promise.all(clients.map((client) => client.until(({ hasBegun }) => hasBegun)));
    for (const client of clients) client.leave(constants.NGHTTP2_NO_ERROR);
    await untilConnections(herald, ({ length }) => length === 0);
    expect(connection.session.destroyed).toBe(false);
  });
});
