import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startHerald, type Herald } from '../support/herald.js';

const CERTIFICATES = fileURLToPath(new URL('../support/certificates/', import.meta.url));

describe('TLS', () => {
  let folder: string;
  let herald: Herald;
  let session: ClientHttp2Session;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'herald-tls-'));
    await use('first');
    herald = await startHerald({
      env: { ...tls(), HERALD_EVENTS_INTERVAL: '50ms' },
    });
    session = connectHttp2(herald.url, { rejectUnauthorized: false });
    await once(session, 'remoteSettings');
  });

  afterAll(async () => {
    session.destroy();
    await herald[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  function tls(): Record<string, string> {
    return { HERALD_TLS_CERT_FILE: join(folder, 'tls.crt'), HERALD_TLS_KEY_FILE: join(folder, 'tls.key') };
  }

  async function use(name: 'first' | 'second'): Promise<void> {
    await cp(join(CERTIFICATES, `${name}.crt`), join(folder, 'tls.crt'));
    await cp(join(CERTIFICATES, `${name}.key`), join(folder, 'tls.key'));
  }

  async function subjectOfNewConnection(): Promise<string> {
    const socket = connectTls({ port: herald.port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  it('announces enough HTTP/2 streams for browsers', () => {
    expect(session.remoteSettings.maxConcurrentStreams).toBe(1_000);
  });

  it('streams over HTTP/2, 150 at a time on one connection, without headers of HTTP/1.1', async () => {
    const streams = Array.from({ length: 150 }, () => session.request({ ':path': '/events' }));
    const heads = await Promise.all(streams.map((stream) => once(stream, 'response')));
    for (const [headers] of heads) {
      expect(headers).toMatchObject({ ':status': 200, 'content-type': 'text/event-stream; charset=utf-8' });
      expect(headers).not.toHaveProperty('connection');
    }
    await Promise.all(streams.map((stream) => read(stream, 3)));
    streams.forEach((stream) => stream.close());
  });

  it('lets go of streams that their client has reset, though something waits to be written to them', async () => {
    await using own = await startHerald({ env: { ...tls(), LOG_LEVEL: 'debug' } });
    const narrow = connectHttp2(own.url, { rejectUnauthorized: false, settings: { initialWindowSize: 0 } });
    const streams = Array.from({ length: 100 }, () => narrow.request({ ':path': '/events' }));
    await Promise.all(streams.map((stream) => once(stream, 'response')));
    const closed = (): number => own.logLines().filter(({ msg }) => msg === 'stream closed').length;
    // With NO_ERROR, which is how Node's own client leaves.
    for (const stream of streams) stream.close();
    for (let looks = 0; closed() < streams.length && looks < 1_000; looks += 1) await ping(narrow);
    expect(closed()).toBe(streams.length);
    narrow.destroy();
  });

  it('cuts streams that were told to end, and whose clients do not read it, after the write timeout', async () => {
    await using short = await startHerald({
      env: { ...tls(), HERALD_MAX_AGE: '200ms', HERALD_WRITE_TIMEOUT: '200ms' },
    });
    const narrow = connectHttp2(short.url, { rejectUnauthorized: false, settings: { initialWindowSize: 0 } });
    const streams = Array.from({ length: 20 }, () => narrow.request({ ':path': '/events' }).resume());
    const results = await Promise.allSettled(streams.map((stream) => once(stream, 'close')));
    expect(results.map(({ status }) => status)).toEqual(streams.map(() => 'fulfilled'));
    narrow.destroy();
  });

  it('streams over HTTP/1.1 on the same port', async () => {
    const request = get(`${herald.url}/events`, { rejectUnauthorized: false, agent: false });
    const [response] = await once(request, 'response');
    expect(response.httpVersion).toBe('1.1');
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(response.headers['strict-transport-security']).toBeDefined();
    await once(response, 'data');
    request.on('error', () => undefined).destroy();
  });

  it('takes a renewed certificate without dropping a stream, and ignores one that does not fit', async () => {
    const stream = session.request({ ':path': '/events' });
    await read(stream, 1);
    expect(await subjectOfNewConnection()).toBe('first.test');
    await cp(join(CERTIFICATES, 'second.crt'), join(folder, 'tls.crt'));
    await herald.waitForLog(/not usable, the old one stays/);
    expect(await subjectOfNewConnection()).toBe('first.test');
    await use('second');
    await herald.waitForLog(/certificate reloaded/);
    expect(await subjectOfNewConnection()).toBe('second.test');
    await read(stream, 3);
    expect(stream.destroyed).toBe(false);
    stream.close();
  });

  it('ends HTTP/2 streams cleanly on SIGTERM and exits', async () => {
    const stream = session.request({ ':path': '/events' });
    await read(stream, 1);
    let rest = '';
    stream.on('data', (chunk: Buffer) => (rest += chunk.toString()));
    const ended = once(stream, 'end');
    session.on('error', () => undefined);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await ended;
    expect(rest).toContain('event: herald\n');
    // `aborted` is set when the stream goes without its END_STREAM.
    expect(stream.aborted).toBe(false);
  });
});

/** Resolves once the service has seen all that was sent before. */
function ping(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error ? reject(error) : resolve()));
  });
}

/** Resolves after so many events. */
async function read(stream: ClientHttp2Stream, events: number): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.split('data: ').length <= events) return;
      stream.off('data', look);
      resolve();
    };
    stream.on('data', look).once('close', () => reject(new Error(`the stream ended after:\n${text}`)));
  });
}
