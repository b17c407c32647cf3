import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { listConnections, untilConnections } from '../support/admin.js';
import { EDGE_KINDS, PLAIN_HAPROXY } from '../support/edge-kinds.js';
import { EventStream, openStream, send, textOf } from '../support/event-stream.js';
import { Http2Client, Http2Connection } from '../support/http2-client.js';
import { form, HUB } from '../support/hub.js';
import { describeWith } from '../support/programs.js';
import { KeptAlive } from '../support/request.js';
import { EDGE_TRANSPORTS, type EdgeTransport, read, Stage } from './stage.js';

/** Requests, one after the other, that an event may take at most: it is a matter of one, where nothing holds it back. */
const ROUND_TRIPS = 20;

/** What a window of HTTP/2 and all buffers on the way have room for, several times. */
const MUCH = 300;

for (const kind of EDGE_KINDS) {
  describeWith(kind.program, `streams through ${kind.name}`, (program) => {
    describe.each(EDGE_TRANSPORTS)('over %s', (transport) => {
      it('have each event at once, before a few other requests are answered', async () => {
        await using stage = await Stage.set(kind, program);
        expect(await tripsOfEvents(stage, transport)).toBeLessThan(ROUND_TRIPS);
      });

      it('go on where they were, with the last id', async () => {
        await using stage = await Stage.set(kind, program);
        const { publisher, edge } = stage;
        const before = await read(transport, edge, 'match=urn:a');
        await publisher.publish({ topic: 'urn:a', data: 'seen' });
        expect(await before.take(1)).toEqual(['seen']);
        await before[Symbol.asyncDispose]();
        await publisher.publish({ topic: 'urn:a', data: 'missed' });
        const headers = { 'last-event-id': before.lastEventId };
        await using after = await read(transport, edge, 'match=urn:a', { headers });
        await publisher.publish({ topic: 'urn:a', data: 'live' });
        expect(await after.take(2)).toEqual(['missed', 'live']);
      });

      it('end at the hub as soon as their reader has left', async () => {
        await using stage = await Stage.set(kind, program);
        const { edge, hub } = stage;
        const leaves = await read(transport, edge, 'match=urn:a');
        await using _stays = await read(transport, edge, 'match=urn:b');
        expect(await listConnections(hub)).toHaveLength(2);
        await leaves[Symbol.asyncDispose]();
        await untilConnections(hub, ({ length }) => length === 1);
      });
    });

    it('may be asked for with QUERY and a body', async () => {
      await using stage = await Stage.set(kind, program);
      const { edge, publisher } = stage;
      const headers = { accept: 'text/event-stream', 'content-type': 'application/x-www-form-urlencoded' };
      const body = form({ match: 'urn:a' });
      await using one = new EventStream(await send(edge.url + HUB, { method: 'QUERY', headers }, body));
      await one.until(({ retries }) => retries.length > 0);
      await using connection = await Http2Connection.to(edge);
      const two = connection.session.request({ ':method': 'QUERY', ':path': HUB, ...headers });
      let text = '';
      two.setEncoding('utf8').on('data', (part: string) => (text += part));
      two.end(body);
      while (!text.includes('retry:')) await once(two, 'data');
      await publisher.publish({ topic: 'urn:a', data: 'asked for' });
      expect((await one.take(1)).map(({ data }) => data)).toEqual(['asked for']);
      while (!text.includes('data: asked for\n')) await once(two, 'data');
    });

    it('share a connection of HTTP/2, on which one that is not read holds up no other', async () => {
      await using stage = await Stage.set(kind, program);
      const { edge, publisher } = stage;
      await using connection = await Http2Connection.to(edge);
      await using stalled = await Http2Client.subscribe(edge, `${HUB}?match=urn:a`, {}, { connection });
      await stalled.until(({ hasBegun }) => hasBegun);
      stalled.stall();
      await using other = await read('HTTP/2', edge, 'match=urn:a', { connection });
      const data = Array.from({ length: MUCH }, (_, index) => `${index} `.padEnd(8_000, 'x'));
      await publisher.publishAll(data.map((one) => ({ topic: 'urn:a', data: one })));
      expect(await other.take(MUCH)).toEqual(data);
      expect(stalled.events.length).toBeLessThan(MUCH);
      stalled.read();
      await stalled.until(({ events }) => events.length >= MUCH);
      expect(stalled.events.map((event) => event.data)).toEqual(data);
    }, 60_000);

    it('may be asked for with as long a head as Herald takes', async () => {
      await using stage = await Stage.set(kind, program);
      const topics = Array.from({ length: 250 }, (_, at) => ['match', `urn:${at}:`.padEnd(200, 'x')]);
      const query = new URLSearchParams(topics).toString();
      await using stream = await openStream(`${stage.edge.url}${HUB}?${query}`);
      expect(stream.response.statusCode).toBe(200);
      const client = await Http2Client.subscribe(stage.edge, `${HUB}?${query}`);
      await client.until(({ status }) => status === 200);
      await client[Symbol.asyncDispose]();
    });
  });
}

describeWith(PLAIN_HAPROXY.program, `streams through ${PLAIN_HAPROXY.name}`, (program) => {
  // Without `option http-no-delay` each would take 210 ms here.
  it('have each event at once, before a few other requests are answered', async () => {
    await using stage = await Stage.set(PLAIN_HAPROXY, program);
    expect(await tripsOfEvents(stage, 'HTTP/1.1')).toBeLessThan(ROUND_TRIPS);
  });
});

/** The most requests that were answered, one after the other, before an event came that had been published before them. */
async function tripsOfEvents({ edge, publisher }: Stage, transport: EdgeTransport): Promise<number> {
  await using reader = await read(transport, edge, 'match=urn:a');
  using connections = new KeptAlive(1);
  const trip = async (): Promise<void> => {
    const request = connections.request(`${edge.url}/health/live`, {});
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await textOf(response);
  };
  await trip();
  let most = 0;
  for (let event = 1; event <= 5; event += 1) {
    await publisher.publish({ topic: 'urn:a', data: String(event) });
    let trips = 0;
    for (; reader.data().length < event && trips < ROUND_TRIPS; trips += 1) await trip();
    most = Math.max(most, trips);
  }
  return most;
}
