import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Crowd } from '../support/crowd.js';
import { send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { HUB, HUB_ENVIRONMENT, Publisher, TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, prlimit } from '../support/programs.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

const PATH = `${HUB}?match=urn:t`;

/** Connections that are kept for nothing, in excess of all places that there are. */
const STORM = 1_200;

/** Of these, how many come between two requests of somebody else. */
const WAVE = 100;

function start(transport: Transport, files: number, env: Readonly<Record<string, string>> = {}): Promise<Herald> {
  return startHerald({
    env: { ...HUB_ENVIRONMENT, ...(transport !== 'http1' && TLS_ENVIRONMENT), ...env },
    wrapper: ['prlimit', `--nofile=${files}`],
  });
}

/** Readers come until one is refused, which is told so. Answers how many were let in. */
async function fill(transport: Transport, herald: Herald, readers: Crowd<StreamClient>): Promise<number> {
  for (let count = 0; ; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, so that the first one too many is known
    const reader = await readers.add(subscribeOver(transport, herald, PATH));
    // oxlint-disable-next-line no-await-in-loop -- as above
    await reader.until(({ events, cursors }) => events.length + cursors.length > 0);
    if (reader.events.length === 0) continue;
    expect(reader.events.map(({ data }) => data)).toEqual(['{"type":"overloaded"}']);
    return count;
  }
}

async function statusOf(herald: Herald, path: string): Promise<number | undefined> {
  const answer = await send(herald.url + path);
  await textOf(answer);
  return answer.statusCode;
}

/** What those send who keep a connection for nothing: nothing, a part of a request, or one request and no other. */
const SENT = ['', 'GET / HT', 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'];

/** So many connections that are kept for nothing, once the kernel has them. Over TLS none gets beyond its handshake. */
async function idlers(herald: Herald): Promise<Socket[]> {
  const come = async (_: unknown, index: number): Promise<Socket> => {
    const socket = connect(herald.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    if (herald.url.startsWith('http:')) socket.write(SENT[index % SENT.length] ?? '');
    return socket.resume();
  };
  return Promise.all(Array.from({ length: WAVE }, come));
}

/** The warnings that say what to do about it. */
function remedies(herald: Herald): unknown[] {
  return herald
    .logLines()
    .filter(({ level, msg }) => level === 40 && String(msg).includes('ulimit -n'))
    .map(({ msg }) => String(msg).split(',')[0]);
}

describeWith(prlimit, 'few descriptors', () => {
  describe.each([
    ['http1', 512, 346],
    ['tls', 512, 346],
    ['http2', 512, 346],
    ['http1', 256, 116],
  ] as const)('over %s, %i of them', (transport, files, streams) => {
    it('are enough for others while all streams are taken and more clients keep coming', async () => {
      await using herald = await start(transport, files);
      await using readers = new Crowd<StreamClient>();
      expect(await fill(transport, herald, readers)).toBe(streams);
      const idle: Socket[] = [];
      for (let come = 0; come < STORM; come += WAVE) {
        // oxlint-disable-next-line no-await-in-loop -- wave by wave
        idle.push(...(await idlers(herald)));
        for (const path of ['/health/live', '/health/ready']) {
          // oxlint-disable-next-line no-await-in-loop -- between two waves
          expect(await statusOf(herald, path)).toBe(200);
        }
      }
      using publisher = await Publisher.of(herald);
      await publisher.publish({ topic: 'urn:t', data: 'x' });
      const all = (await readers.all()).slice(0, streams);
      await Promise.all(all.map((reader) => reader.until(({ events }) => events.length > 0)));
      expect(all.filter(({ ended }) => ended)).toEqual([]);
      expect(remedies(herald)).toEqual(['streams are refused', 'idle connections are closed']);
      expect(herald.logLines()).toContainEqual(expect.objectContaining({ level: 40, streams }));
      for (const socket of idle) socket.destroy();
    }, 60_000);
  });

  it('also leave room where the operator has asked for more streams than fit, which the log says', async () => {
    await using herald = await start('http1', 256, { HERALD_MAX_CONNECTIONS: '5000' });
    expect(herald.logs()).toMatch(/HERALD_MAX_CONNECTIONS asks for 5000 streams[^"]+room for 116/);
    await using readers = new Crowd<StreamClient>();
    expect(await fill('http1', herald, readers)).toBe(116);
  });

  it('let a probe through beside a crowd that asks for streams again and again', async () => {
    await using herald = await start('http1', 256);
    await using readers = new Crowd<StreamClient>();
    await fill('http1', herald, readers);
    await using crowd = new Crowd<StreamClient>();
    const refused = crowd.join(300, () => subscribeOver('http1', herald, PATH));
    for (let probes = 0; probes < 20; probes += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await statusOf(herald, '/health/live')).toBe(200);
    }
    const ends = (await refused).map((client) => client.until(({ ended }) => ended));
    await Promise.all(ends);
  }, 60_000);

  it.each(TRANSPORTS)('never take an idle place from a request that is under way: %s', async (transport) => {
    await using herald = await start(transport, 256);
    await using stream = await subscribeOver(transport, herald, PATH);
    await stream.until(({ hasBegun }) => hasBegun);
    const idle = [...(await idlers(herald)), ...(await idlers(herald))];
    await herald.waitForLog(/idle connections are closed/);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'x' });
    await stream.until(({ events }) => events.length > 0);
    expect(stream.ended).toBe(false);
    for (const socket of idle) socket.destroy();
  });
});
