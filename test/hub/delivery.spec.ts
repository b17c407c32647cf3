import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { send, textOf } from '../support/event-stream.js';
import { type Herald } from '../support/herald.js';
import { HUB, noticesOf, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';
import { settledResources } from '../support/resources.js';

const CERTIFICATES = fileURLToPath(new URL('../support/certificates/', import.meta.url));

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

/** Publishes `1` to `count` as a batch each of a hundred, each padded to `bytes`. */
async function flood(herald: Herald, count: number, bytes = 0): Promise<void> {
  using publisher = await Publisher.of(herald);
  for (let from = 1; from <= count; from += 100) {
    const numbers = range(from, Math.min(count, from + 99));
    const lines = numbers.map((data) =>
      JSON.stringify({ topic: 'urn:t', data: data.padEnd(bytes, ' '), id: `urn:n:${data}` }),
    );
    const headers = { 'content-type': 'application/x-ndjson' };
    expect((await textOf(await publisher.post(lines.join('\n'), headers, `${HUB}/batch`))).includes('error')).toBe(
      false,
    );
  }
}

function numbersOf(client: { events: readonly { event?: string | undefined; data: string }[] }): string[] {
  return client.events.filter(({ event }) => event !== 'herald').map(({ data }) => data.trimEnd());
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

describe('delivery', () => {
  it('gives every reader everything once and in one order, however many publish at once', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const readers = await Promise.all(Array.from({ length: 20 }, () => subscribe(herald, { query: 'match=urn:t' })));
    const writers = range(1, 32).map(async (writer) => {
      for (const number of range(1, 20)) await publisher.publish({ topic: 'urn:t', data: `${writer}:${number}` });
    });
    await Promise.all(writers);
    await Promise.all(readers.map((reader) => reader.until((seen) => seen.events.length >= 640)));
    const [first] = readers;
    const order = (first ? updatesOf(first) : []).map(({ data }) => data);
    expect(new Set(order).size).toBe(640);
    for (const reader of readers) {
      expect(updatesOf(reader).map(({ data }) => data)).toEqual(order);
      await reader[Symbol.asyncDispose]();
    }
    for (const writer of range(1, 32)) {
      const own = order.filter((data) => data.startsWith(`${writer}:`));
      expect(own).toEqual(range(1, 20).map((number) => `${writer}:${number}`));
    }
  });

  it('lets a reader that stops reading go on where it was, and nobody else wait', async () => {
    await using herald = await startHub({ HERALD_RETAIN_BYTES: '512mb', HERALD_RECENT_BYTES: '4mb' });
    await using stalled = await RawClient.subscribe(herald, `${HUB}?match=urn:t`);
    await stalled.until(({ text }) => text.includes('retry:'));
    stalled.socket.pause();
    await using other = await subscribe(herald, { query: 'match=urn:t' });
    await flood(herald, 3_000, 10_000);
    await other.until((seen) => seen.text.includes('\ndata: 3000 '));
    expect(numbersOf(other)).toEqual(range(1, 3_000));
    expect(stalled.ended).toBe(false);
    stalled.socket.resume();
    await stalled.until((seen) => seen.events.length >= 3_000);
    expect(numbersOf(stalled)).toEqual(range(1, 3_000));
  });

  it('notices that a socket has room again also after small writes', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await using stalled = await RawClient.subscribe(herald, `${HUB}?match=urn:t`);
    await stalled.until(({ text }) => text.includes('retry:'));
    stalled.socket.pause();
    for (const data of range(1, 1_000)) await publisher.publish({ topic: 'urn:t', data: data.padEnd(8_000, ' ') });
    stalled.socket.resume();
    await stalled.until((seen) => seen.events.length >= 1_000);
    await publisher.publish({ topic: 'urn:t', data: '1001' });
    await stalled.until((seen) => seen.events.length >= 1_001);
    expect(numbersOf(stalled)).toEqual(range(1, 1_001));
  });

  it('tells a reader that the journal has moved on without it', async () => {
    await using herald = await startHub({ HERALD_RETAIN_EVENTS: '200', HERALD_RECENT_BYTES: '1mb' });
    await using stalled = await RawClient.subscribe(herald, `${HUB}?match=urn:t`);
    await stalled.until(({ text }) => text.includes('retry:'));
    stalled.socket.pause();
    await flood(herald, 3_000, 10_000);
    stalled.socket.resume();
    await stalled.until((seen) => seen.events.some(({ data }) => data.trimEnd() === '3000'));
    const notices = stalled.events.filter(({ event }) => event === 'herald');
    const gap = stalled.events.findIndex(({ event }) => event === 'herald');
    const numbers = stalled.events.map(({ data }) => Number(data));
    const updates = (numbers[gap + 1] ?? 0) - gap - 1;
    expect(notices.map(({ data }) => JSON.parse(data) as object)).toEqual([
      { type: 'gap', reason: 'trimmed', updates },
    ]);
    expect(stalled.events.slice(0, gap).map(({ data }) => data.trimEnd())).toEqual(range(1, gap));
    expect(numbers.slice(gap + 1).map(String)).toEqual(range(numbers[gap + 1] ?? 0, 3_000));
  });

  it('tells no reader of a gap that it does not have, however long it had nothing to read', async () => {
    await using herald = await startHub({ HERALD_RETAIN_EVENTS: '50', HERALD_MAX_BODY: '8mb' });
    using publisher = await Publisher.of(herald);
    await using reader = await subscribe(herald, { query: 'match=urn:rare' });
    await publisher.publish({ topic: 'urn:rare', data: '1' });
    await reader.take(1);
    await flood(herald, 300);
    // More than is pushed in one go, so that it is read from the log.
    const lines = range(2, 31).map((data) => JSON.stringify({ topic: 'urn:rare', data: data.padEnd(100_000, ' ') }));
    const headers = { 'content-type': 'application/x-ndjson' };
    (await publisher.post(lines.join('\n'), headers, `${HUB}/batch`)).resume();
    await reader.take(31);
    expect(numbersOf(reader)).toEqual(range(1, 31));
    expect(noticesOf(reader)).toEqual([]);
  });

  it('cuts a reader that has not read for the write timeout', async () => {
    await using herald = await startHub({
      HERALD_WRITE_TIMEOUT: '300ms',
      LOG_LEVEL: 'debug',
      HERALD_RECENT_BYTES: '1mb',
    });
    await using stalled = await RawClient.subscribe(herald, `${HUB}?match=urn:t`);
    await stalled.until(({ text }) => text.includes('retry:'));
    stalled.socket.pause();
    await flood(herald, 1_500, 10_000);
    await herald.waitForLog(/"reason":"stalled"/);
    expect(herald.logLines().filter(({ reason }) => reason === 'stalled')).toHaveLength(1);
  });

  it('holds memory to its bounds, whatever a hundred stalled readers do', async () => {
    await using herald = await startHub({ HERALD_RECENT_BYTES: '4mb', HERALD_RETAIN_BYTES: '8mb' });
    const stalled = await Promise.all(range(1, 100).map(() => RawClient.subscribe(herald, `${HUB}?match=urn:t`)));
    await Promise.all(stalled.map((client) => client.until(({ text }) => text.includes('retry:'))));
    stalled.forEach(({ socket }) => socket.pause());
    const before = residentBytes(herald.pid);
    // 40 MB, of which the kernel takes a few for each of them. With a queue for each it would come to gigabytes.
    await flood(herald, 4_000, 10_000);
    expect(residentBytes(herald.pid) - before).toBeLessThan(200 * 1_024 ** 2);
    await Promise.all(stalled.map((client) => client[Symbol.asyncDispose]()));
  });

  it('gathers updates for HERALD_FLUSH_INTERVAL, and loses none of them', async () => {
    await using herald = await startHub({ HERALD_FLUSH_INTERVAL: '100ms' });
    using publisher = await Publisher.of(herald);
    await using stream = await subscribe(herald, { query: 'match=urn:t' });
    for (const data of range(1, 20)) await publisher.publish({ topic: 'urn:t', data });
    await using late = await subscribe(herald, { query: 'match=urn:t&last_event_id=earliest' });
    await publisher.publish({ topic: 'urn:t', data: '21' });
    await Promise.all([stream, late].map((reader) => reader.until((seen) => seen.text.includes('data: 21\n'))));
    expect(updatesOf(stream).map(({ data }) => data)).toEqual(range(1, 21));
    expect(updatesOf(late).map(({ data }) => data)).toEqual(range(1, 21));
  });

  it('keeps quiet subscriptions alive, and ends them cleanly at their age and when the process stops', async () => {
    await using herald = await startHub({ HERALD_HEARTBEAT: '50ms' });
    await using stream = await subscribe(herald, { query: 'match=urn:t' });
    await stream.until(({ comments }) => comments.length >= 3);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await stream.ended).toBe(true);
    expect(noticesOf(stream)).toEqual([{ type: 'drain' }]);
    expect(stream.retries.length).toBe(2);
    await using aging = await startHub({ HERALD_MAX_AGE: '300ms' });
    await using short = await subscribe(aging, { query: 'match=urn:t' });
    expect(await short.ended).toBe(true);
  });
});

describe('the wire', () => {
  it('answers HTTP/1.0 without chunks', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await using client = await RawClient.connect(herald);
    client.socket.write(`GET ${HUB}?match=urn:t HTTP/1.0\r\n\r\n`);
    await client.until(({ text }) => text.includes('retry:'));
    await publisher.publish({ topic: 'urn:t', data: 'é', id: '1' });
    await client.until(({ events }) => events.length > 0);
    expect(client.events).toMatchObject([{ data: 'é' }]);
    expect(client.text).not.toMatch(/transfer-encoding/i);
  });

  it('streams over HTTP/2 through the same log', async () => {
    await using herald = await startHub({
      HERALD_TLS_CERT_FILE: `${CERTIFICATES}first.crt`,
      HERALD_TLS_KEY_FILE: `${CERTIFICATES}first.key`,
    });
    const session = connectHttp2(herald.url, { rejectUnauthorized: false });
    const { publisherToken } = await import('../support/hub.js');
    const headers = {
      ':method': 'POST',
      ':path': HUB,
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Bearer ${await publisherToken()}`,
    };
    const publish = async (data: string): Promise<void> => {
      const request = session.request(headers);
      request.end(`topic=urn:t&id=urn:n:${data}&data=${data}`);
      await once(request.resume(), 'end');
    };
    for (const data of range(1, 50)) await publish(data);
    const streams = range(1, 20).map(() =>
      session.request({ ':path': `${HUB}?match=urn:t`, 'last-event-id': 'urn:n:10' }),
    );
    const texts = streams.map(() => '');
    const done = streams.map(
      (stream, index) =>
        new Promise<void>((resolve) => {
          stream.setEncoding('utf8').on('data', (text: string) => {
            texts[index] += text;
            if (texts[index]?.includes('data: 60\n')) resolve();
          });
        }),
    );
    await Promise.all(streams.map((stream) => once(stream, 'response')));
    for (const data of range(51, 60)) await publish(data);
    await Promise.all(done);
    for (const text of texts) expect(text.match(/(?<=data: )\d+/g)).toEqual(range(11, 60));
    streams.forEach((stream) => stream.close());
    session.destroy();
  });

  it('answers HEAD without subscribing', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    const response = await send(`${herald.url}${HUB}?match=urn:t`, { method: 'HEAD' });
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
    response.resume();
    await once(response, 'end');
    expect(herald.logs()).not.toContain('stream closed');
  });

  it('survives pipelining, half-closing, talking clients and resets, and leaves nothing behind', async () => {
    const probe = new URL('../support/resource-probe.js', import.meta.url).href;
    await using herald = await startHub({ NODE_OPTIONS: `--import ${probe}`, LOG_LEVEL: 'debug' });
    using publisher = await Publisher.of(herald);
    await (await subscribe(herald, { query: 'match=urn:t' }))[Symbol.asyncDispose]();
    (await send(`${herald.url}/health/live`)).resume();
    const before = await settledResources(herald);

    const line = `GET ${HUB}?match=urn:t HTTP/1.1\r\nhost: x\r\n\r\n`;
    const clients = await Promise.all(range(1, 60).map(() => RawClient.connect(herald)));
    clients.forEach(({ socket }, index) => {
      // More requests in the same packet, in the packet after, or none.
      socket.write(index % 3 === 0 ? `${line}GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n${line}` : line);
    });
    await Promise.all(clients.map((client) => client.until(({ text }) => text.includes('retry:'))));
    clients.forEach(({ socket }, index) => {
      if (index % 3 === 1) socket.write(`${line}${'\0garbage\r\n'.repeat(1_000)}`);
    });
    await publisher.publish({ topic: 'urn:t', data: 'still here' });
    await Promise.all(clients.map((client) => client.until(({ events }) => events.length > 0)));
    for (const client of clients) {
      expect(client.events).toMatchObject([{ data: 'still here' }]);
      expect(client.text).not.toContain('"status"');
    }
    clients.forEach(({ socket }, index) => {
      if (index % 3 === 0) socket.end();
      else if (index % 3 === 1) socket.resetAndDestroy();
      else socket.destroy();
    });
    await Promise.all(clients.map((client) => client.until(({ ended }) => ended)));
    publisher[Symbol.dispose]();
    expect(await settledResources(herald)).toEqual(before);
    const countOf = (wanted: string): number => herald.logLines().filter(({ msg }) => msg === wanted).length;
    const opened = countOf('stream opened');
    expect(opened).toBeGreaterThan(60);
    // The log may be on its way still.
    await herald.waitForLog(new RegExp(`(?:"stream closed"[^]*?){${opened}}`));
    expect(countOf('stream closed')).toBe(opened);
  });
});
