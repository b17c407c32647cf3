import { describe, expect, it } from '@jest/globals';
import { askAdmin, listConnections, untilConnections } from '../support/admin.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';

const SUBSCRIPTION = `GET ${HUB}?match=urn:t HTTP/1.1\r\nhost: x\r\n\r\n`;
const ORDINARY = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n';

/** The heads of the answers that came, each as its status and what it says of the connection. */
function headsOf(text: string): { status: number; closes: boolean }[] {
  const heads = text.split(/(?=HTTP\/1\.1 \d{3} )/).filter((answer) => answer.startsWith('HTTP/'));
  return heads.map((answer) => ({
    status: Number(answer.slice(9, 12)),
    closes: /\r\nconnection: close\r\n/i.test(answer.split('\r\n\r\n', 1)[0] + '\r\n'),
  }));
}

describe.each([
  ['HTTP/1.1', {}],
  ['HTTP/1.1 over TLS', TLS_ENVIRONMENT],
])('requests that are sent without waiting, over %s', (_, env) => {
  function start(): Promise<Herald> {
    return startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, ...env });
  }

  it('open one stream, where all of them are subscriptions', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await using client = await RawClient.connect(herald);
    client.socket.write(SUBSCRIPTION.repeat(500));
    await client.until(({ hasBegun }) => hasBegun);
    // The last of them was sent before this is asked, and the service reads from all connections in turn.
    const open = await listConnections(herald);
    expect(open.map(({ id }) => id)).toEqual([1]);
    for (const data of ['1', '2', '3']) await publisher.publish({ topic: 'urn:t', data });
    await client.until(({ events }) => events.length >= 3);
    expect(client.events.map(({ data }) => data)).toEqual(['1', '2', '3']);
    await askAdmin(herald, 'DELETE', `connections?id=${open[0]?.id}`);
    await client.until(({ ended }) => ended);
    expect(client.events.slice(3).map(({ data }) => JSON.parse(data) as object)).toEqual([{ type: 'dismissed' }]);
    expect(client.isComplete).toBe(true);
    expect(headsOf(client.text)).toEqual([{ status: 200, closes: true }]);
    await untilConnections(herald, ({ length }) => length === 0);
  });

  it('are answered, or refused and told what to do, where a subscription comes after another request', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await using client = await RawClient.connect(herald);
    client.socket.write(ORDINARY + SUBSCRIPTION);
    await client.until(({ text }) => headsOf(text).length === 2);
    const [ordinary, subscription] = headsOf(client.text);
    expect(ordinary?.status).toBe(200);
    expect(subscription?.closes).toBe(true);
    if (subscription?.status === 200) {
      await publisher.publish({ topic: 'urn:t', data: 'now' });
      await client.until(({ text }) => text.includes('\ndata: now\n'));
      const [open] = await listConnections(herald);
      await askAdmin(herald, 'DELETE', `connections?id=${open?.id}`);
    } else {
      expect(subscription?.status).toBeGreaterThanOrEqual(400);
      expect(subscription?.status).toBeLessThan(500);
      expect(client.text).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    }
    await client.until(({ ended }) => ended);
    await untilConnections(herald, ({ length }) => length === 0);
  });
});
