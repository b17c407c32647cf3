import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jwtVerify, SignJWT } from 'jose';
import { Logger } from '@nestjs/common';
import { KEY_SET_ALGORITHMS } from '../../config/keys/issuers.js';
import { KeySet } from './key-set.js';

const FRESH_URI = 600_000;
const PAUSE_AFTER_FAILURE = 30_000;

interface Pair {
  readonly jwk: object;
  readonly privateKey: KeyObject;
}

function pair(kid?: string): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { jwk: { ...publicKey.export({ format: 'jwk' }), ...(kid !== undefined && { kid }) }, privateKey };
}

const set = (...keys: unknown[]): string => JSON.stringify({ keys });

/** Whether the set has the key of this pair. */
async function verifies(keySet: KeySet, { privateKey }: Pair, kid?: string): Promise<boolean> {
  const header = { alg: 'ES256', ...(kid !== undefined && { kid }) };
  const token = await new SignJWT({}).setProtectedHeader(header).sign(privateKey);
  for (const key of await keySet.keysFor(header)) {
    const verified = await jwtVerify(token, key).then(
      () => true,
      () => false,
    );
    if (verified) return true;
  }
  return false;
}

const common = { algorithms: KEY_SET_ALGORITHMS, roles: ['publisher'] } as const;

const one = pair('one');
const two = pair('two');

beforeAll(() => Logger.overrideLogger(false));

describe('a key set at an address', () => {
  let server: Server;
  let answer: RequestListener;
  let requests = 0;
  let now = 0;
  let uri = '';

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests += 1;
      answer(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  beforeEach(() => {
    requests = 0;
    now = 1_000_000;
    serve(set(one.jwk));
  });

  const serve = (body: string): void => {
    answer = (_, response) => void response.end(body);
  };
  const make = (): KeySet => new KeySet({ ...common, uri }, clock);
  /** Waiting takes no time but on the clock. */
  const clock = {
    now: () => now,
    wait: async (milliseconds: number) => {
      await Promise.resolve();
      now += milliseconds;
    },
  };

  it('is asked for once, however many come at the same time and afterwards', async () => {
    const keySet = make();
    const many = await Promise.all(Array.from({ length: 20 }, () => verifies(keySet, one, 'one')));
    expect(many.every(Boolean)).toBe(true);
    now += FRESH_URI;
    expect(await verifies(keySet, one, 'one')).toBe(true);
    expect(requests).toBe(1);
  });

  it('is asked for again when it is no longer fresh, without letting anybody wait for it', async () => {
    const keySet = make();
    await verifies(keySet, one, 'one');
    now += FRESH_URI + 1;
    const asked = new EventEmitter();
    const isAsked = once(asked, 'asked');
    const held: (() => void)[] = [];
    answer = (_, response) => {
      held.push(() => response.end(set(one.jwk, two.jwk)));
      asked.emit('asked');
    };
    expect(await verifies(keySet, one, 'one')).toBe(true);
    await isAsked;
    held.forEach((release) => release());
    // A token with an unknown key waits for the request that is under way.
    expect(await verifies(keySet, two, 'two')).toBe(true);
    expect(requests).toBe(2);
  });

  it('learns of a new key from the first token that is signed with it, without a restart', async () => {
    const keySet = make();
    expect(await verifies(keySet, one, 'one')).toBe(true);
    serve(set(two.jwk));
    const before = now;
    // Somebody has just made one up.
    expect(await verifies(keySet, one, 'made up')).toBe(false);
    expect(await verifies(keySet, two, 'two')).toBe(true);
    expect(now - before).toBeLessThanOrEqual(2_000);
    expect(await verifies(keySet, one, 'one')).toBe(false);
  });

  it('is asked for at most once a second, however many key ids are made up', async () => {
    const keySet = make();
    const before = now;
    for (let round = 0; round < 10; round += 1) {
      const many = Array.from({ length: 50 }, (_, index) => verifies(keySet, one, `made up ${round} ${index}`));
      expect(new Set(await Promise.all(many))).toEqual(new Set([false]));
    }
    expect(requests).toBeLessThanOrEqual((now - before) / 1_000 + 1);
    expect(await verifies(keySet, one, 'one')).toBe(true);
  });

  it('keeps the keys that it has while the source is away, and says so when it never had any', async () => {
    const keySet = make();
    await verifies(keySet, one, 'one');
    answer = (_, response) => void response.writeHead(503).end();
    for (let hour = 0; hour < 10; hour += 1) {
      now += 3_600_000;
      expect(await verifies(keySet, one, 'one')).toBe(true);
      await expect(verifies(keySet, two, 'two')).rejects.toMatchObject({ code: 'keys-unavailable' });
    }
    const other = make();
    await expect(verifies(other, one, 'one')).rejects.toMatchObject({ code: 'keys-unavailable' });
    serve(set(one.jwk));
    await expect(verifies(other, one, 'one')).rejects.toMatchObject({ code: 'keys-unavailable' });
    now += PAUSE_AFTER_FAILURE;
    expect(await verifies(other, one, 'one')).toBe(true);
  });

  it.each<[string, RequestListener]>([
    ['R90: a redirect', (_, response) => void response.writeHead(302, { location: `${uri}/elsewhere` }).end()],
    ['a status other than 200', (_, response) => void response.writeHead(203).end(set(one.jwk))],
    ['no JSON', (_, response) => void response.end('<html>')],
    ['JSON that is no object', (_, response) => void response.end('null')],
    ['no keys', (_, response) => void response.end('{}')],
    ['a key that is none', (_, response) => void response.end(set(null))],
    ['too many keys', (_, response) => void response.end(set(...Array.from({ length: 101 }, () => one.jwk)))],
    ['too many bytes', (_, response) => void response.end(`${set(one.jwk)}${' '.repeat(513 * 1024)}`)],
    ['bytes without end', (_, response) => pourForever(response)],
    ['a connection that is cut', (_, response) => void response.destroy()],
    [
      'an answer that is cut',
      (_, response) => {
        response.writeHead(200, { 'content-length': 1_000 });
        response.write('{', () => response.destroy());
      },
    ],
  ])('takes %s for no set', async (_, listener) => {
    answer = (request, response) => {
      if (request.url === '/jwks') listener(request, response);
      else response.end(set(one.jwk));
    };
    await expect(verifies(make(), one, 'one')).rejects.toMatchObject({ code: 'keys-unavailable' });
    expect(requests).toBe(1);
  });

  it('gives up on a source that does not answer', async () => {
    const source = new EventEmitter();
    const isClosed = once(source, 'closed');
    answer = (request, response) => {
      response.writeHead(200);
      response.write('{');
      request.once('close', () => source.emit('closed'));
    };
    await expect(verifies(make(), one, 'one')).rejects.toMatchObject({ code: 'keys-unavailable' });
    await isClosed;
  });

  it('R52: leaves out secrets, private keys, keys that are weak or broken, and keys for other things', async () => {
    const secret = { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ', alg: 'HS256', kid: 'secret' };
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    serve(
      set(
        secret,
        { ...one.privateKey.export({ format: 'jwk' }), kid: 'private' },
        { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'broken' },
        { kty: 'EC', kid: 'empty' },
        { ...weak, kid: 'weak' },
        { ...one.jwk, kid: 'encryption', use: 'enc' },
        one.jwk,
      ),
    );
    const keySet = make();
    expect(await keySet.keysFor({ alg: 'HS256', kid: 'secret' })).toEqual([]);
    for (const kid of ['private', 'broken', 'empty', 'encryption']) {
      expect([kid, await keySet.keysFor({ alg: 'ES256', kid })]).toEqual([kid, []]);
    }
    expect(await keySet.keysFor({ alg: 'RS256', kid: 'weak' })).toEqual([]);
    expect(await verifies(keySet, one, 'one')).toBe(true);
  });

  it('tries every key that could be meant where the token names none', async () => {
    const [first, second] = [pair(), pair()];
    serve(set(first.jwk, { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }, second.jwk));
    const keySet = make();
    expect(await verifies(keySet, first)).toBe(true);
    expect(await verifies(keySet, second)).toBe(true);
    expect(await verifies(keySet, one)).toBe(false);
  });
});

/** Writes until nobody reads any more. */
function pourForever(response: Parameters<RequestListener>[1]): void {
  const pour = (): void => {
    while (!response.destroyed && response.write(' '.repeat(64 * 1024)));
  };
  response.on('drain', pour);
  pour();
}

describe('a key set in a file', () => {
  let directory: string;
  let now = 0;
  const clock = {
    now: () => now,
    wait: async (milliseconds: number) => {
      await Promise.resolve();
      now += milliseconds;
    },
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'herald-keys-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const write = async (text: string): Promise<string> => {
    const path = join(directory, 'jwks.json');
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    return path;
  };

  it('is read again when it has changed', async () => {
    const file = await write(set(one.jwk));
    const keySet = new KeySet({ ...common, file }, clock);
    expect(await verifies(keySet, one, 'one')).toBe(true);
    await write(set(two.jwk));
    expect(await verifies(keySet, two, 'two')).toBe(true);
    expect(await verifies(keySet, one, 'one')).toBe(false);
  });

  it('notices within five seconds that a key has left, also where nobody brings a token meanwhile', async () => {
    const file = await write(set(one.jwk, two.jwk));
    const keySet = new KeySet({ ...common, file }, clock);
    const [key] = await keySet.keysFor({ alg: 'ES256', kid: 'one' });
    const known = key && keySet.knownOf(key);
    const [other] = await keySet.keysFor({ alg: 'ES256', kid: 'two' });
    const stays = other && keySet.knownOf(other);
    await write(set(two.jwk));
    // Whoever looks does so once a second.
    const changed = new Promise<void>((resolve) => keySet.onChange(resolve));
    for (let second = 0; second < 5; second += 1) {
      now += 1_000;
      keySet.refresh();
    }
    await changed;
    expect([known?.isGone, stays?.isGone]).toEqual([true, false]);
    // A token that was being verified meanwhile.
    expect(key && keySet.knownOf(key).isGone).toBe(true);
    keySet.leave(undefined);
    expect(stays?.isGone).toBe(true);
  });

  it('keeps the keys that it has while the file is half written or away', async () => {
    const file = await write(set(one.jwk));
    const keySet = new KeySet({ ...common, file }, clock);
    await verifies(keySet, one, 'one');
    await write(set(two.jwk).slice(0, 40));
    now += 10_000;
    await expect(verifies(keySet, two, 'two')).rejects.toMatchObject({ code: 'keys-unavailable' });
    await rm(file);
    now += 10_000;
    await expect(verifies(keySet, two, 'two')).rejects.toMatchObject({ code: 'keys-unavailable' });
    expect(await verifies(keySet, one, 'one')).toBe(true);
  });

  it('says that there are no keys where there is no file', async () => {
    const keySet = new KeySet({ ...common, file: join(directory, 'nowhere') }, clock);
    await expect(keySet.keysFor({ alg: 'ES256' })).rejects.toMatchObject({ code: 'keys-unavailable' });
  });
});
