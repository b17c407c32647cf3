import { execFile } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { send } from '../support/event-stream.js';
import { Herald } from '../support/herald.js';
import {
  HUB,
  HUB_ENVIRONMENT,
  ISSUER,
  Publisher,
  RESOURCE,
  startHub,
  SUBSCRIBER_KEY,
  subscriberToken,
} from '../support/hub.js';
import { describeWith, python } from '../support/programs.js';
import { freePort } from '../support/redis.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, TRANSPORTS, transportsAt } from '../support/transports.js';

const CERTIFICATES = fileURLToPath(new URL('../support/certificates/', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const OLD = SUBSCRIBER_KEY;
const NEW = 'another subscriber key for tests, long enough as well';

const RELOADED = 'keys and certificates were read again';
const NOT_RELOADED = 'the files could not be read again, and everything stays as it was';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'herald-hang-up-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Puts a file there as a whole, so that nobody reads half of it. */
async function put(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  return path;
}

async function putCertificate(name: 'first' | 'second'): Promise<Record<string, string>> {
  const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await copyFile(join(CERTIFICATES, `${name}.crt`), cert);
  await copyFile(join(CERTIFICATES, `${name}.key`), key);
  return { HERALD_TLS_CERT_FILE: cert, HERALD_TLS_KEY_FILE: key };
}

/** Sends SIGHUP, and answers with the line that tells what has come of it. */
async function hangUp(herald: Herald, message = RELOADED): Promise<Record<string, unknown>> {
  const lines = (): Record<string, unknown>[] => herald.logLines().filter(({ msg }) => msg === message);
  const before = lines().length;
  herald.child.kill('SIGHUP');
  await herald.waitForLog(new RegExp(`(?:${message}[^]*){${before + 1}}\n`));
  return lines().at(-1) ?? {};
}

const { HERALD_SUBSCRIBER_KEY: _inFile, ...WITHOUT_KEY } = HUB_ENVIRONMENT;

/** A hub whose readers' key is in a file. */
async function startWithFile(env: Record<string, string> = {}): Promise<Herald> {
  const file = await put('subscriber-key', OLD);
  return Herald.start({ env: { ...WITHOUT_KEY, HERALD_SUBSCRIBER_KEY_FILE: file, HERALD_ANONYMOUS: 'false', ...env } });
}

/** A stream that has begun: what comes after does not meet its request. */
async function openOver(...asked: Parameters<typeof subscribeOver>): Promise<StreamClient> {
  const stream = await subscribeOver(...asked);
  return stream.until(({ hasBegun }) => hasBegun);
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

async function statusFor(herald: Herald, token: string): Promise<number | undefined> {
  const response = await send(`${herald.url}${HUB}?match=a`, { headers: bearer(token) });
  response.destroy();
  return response.statusCode;
}

function noticesOf({ events }: StreamClient): unknown[] {
  return events.filter(({ event }) => event === 'herald').map(({ data }) => JSON.parse(data) as unknown);
}

async function nameOfCertificate({ port }: Herald): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

describe('SIGHUP', () => {
  it.each(TRANSPORTS)('exchanges a secret, and ends no stream but those that hang on the old one: %s', async (over) => {
    const isSecure = over !== 'http1';
    const tls = isSecure ? await putCertificate('first') : {};
    await using herald = await startWithFile(tls);
    const open = async (key: string): Promise<StreamClient> =>
      openOver(over, herald, `${HUB}?match=a`, bearer(await subscriberToken({ key })));
    await using ofOld = await open(OLD);
    expect(transportsAt(herald.url)).toContain(over);
    await put('subscriber-key', JSON.stringify([NEW, OLD]));
    if (isSecure) await putCertificate('second');
    expect(await hangUp(herald)).toMatchObject({ come: [`${ISSUER} subscriber`], gone: [] });
    if (isSecure) expect(await nameOfCertificate(herald)).toBe('second.test');
    await using ofNew = await open(NEW);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'a', data: 'for both', private: 'on' });
    for (const stream of [ofOld, ofNew]) await stream.until(({ events }) => events.at(-1)?.data === 'for both');

    await put('subscriber-key', NEW);
    expect(await hangUp(herald)).toMatchObject({ come: [], gone: [`${ISSUER} subscriber`] });
    await ofOld.over();
    expect(noticesOf(ofOld)).toEqual([{ type: 'revoked' }]);
    expect(ofOld.isComplete).toBe(true);
    await publisher.publish({ topic: 'a', data: 'for one', private: 'on' });
    await ofNew.until(({ events }) => events.at(-1)?.data === 'for one');
    expect(ofNew.ended).toBe(false);
    if (!isSecure) {
      expect(await statusFor(herald, await subscriberToken({ key: OLD }))).toBe(401);
      expect(await statusFor(herald, await subscriberToken({ key: NEW }))).toBe(200);
    }
    expect(herald.logs()).not.toContain(NEW);
  });

  it('keeps everything where a file is bad, and says all that is wrong with none of the keys', async () => {
    await using herald = await startWithFile();
    const token = await subscriberToken();
    await using stream = await openOver('http1', herald, `${HUB}?match=a`, bearer(token));
    await put('subscriber-key', '["much too short"]');
    expect(await hangUp(herald, NOT_RELOADED)).toMatchObject({
      level: 50,
      mistakes: ['HERALD_SUBSCRIBER_KEY must be at least 32 bytes long for HS256'],
    });
    await rm(join(folder, 'subscriber-key'));
    expect(await hangUp(herald, NOT_RELOADED)).toMatchObject({
      mistakes: ["HERALD_SUBSCRIBER_KEY_FILE can't be read: check the path and its permissions"],
    });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'a', data: 'x', private: 'on' });
    await stream.until(({ events }) => events.at(-1)?.data === 'x');
    expect(await statusFor(herald, token)).toBe(200);
    expect(herald.logs()).not.toContain('much too short');
  });

  it("leaves the keys that a developer's service has made up, and its streams, as they are", async () => {
    await using herald = await Herald.start({ env: { HERALD_ANONYMOUS: 'true' } });
    const [token = ''] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(herald.logs()) ?? [];
    expect(await hangUp(herald)).toMatchObject({ come: [], gone: [] });
    const response = await send(`${herald.url}${HUB}`, { headers: bearer(token) });
    response.destroy();
    expect(response.statusCode).not.toBe(401);
  });

  it('takes an issuer out of the file of issuers, with its streams', async () => {
    const issuers = (...names: string[]): string =>
      JSON.stringify(names.map((issuer) => ({ issuer, subscriber_key: `the key of ${issuer}, which is long enough` })));
    const file = await put('issuers.json', issuers('stays', 'goes'));
    await using herald = await startHub({ HERALD_ISSUERS_FILE: file });
    const open = async (iss: string): Promise<StreamClient> => {
      const token = await subscriberToken({ key: `the key of ${iss}, which is long enough`, claims: { iss } });
      return openOver('http1', herald, `${HUB}?match=a`, bearer(token));
    };
    await using goes = await open('goes');
    await using stays = await open('stays');
    await put('issuers.json', issuers('stays'));
    expect(await hangUp(herald)).toMatchObject({ gone: ['goes subscriber'] });
    await goes.over();
    expect(noticesOf(goes)).toEqual([{ type: 'revoked' }]);
    expect(stays.ended).toBe(false);
  });

  it('names the settings that have changed besides, and that a start is needed for', async () => {
    const file = await put('body', '1MB');
    await using herald = await startHub({ HERALD_MAX_BODY_FILE: file });
    await put('body', '2MB');
    const message = 'other settings have changed in their files: they count from the next start on';
    expect(await hangUp(herald, message)).toMatchObject({ level: 40, settings: ['server.maxBodyBytes'] });
  });

  it('harms neither the start nor the end', async () => {
    const port = await freePort();
    await using starting = Herald.spawn({ env: { ...HUB_ENVIRONMENT, HERALD_JOURNAL: `redis://127.0.0.1:${port}` } });
    await starting.waitForLog(/Redis is away/);
    starting.child.kill('SIGHUP');
    await starting.waitForLog(/can't start without its journal/);
    expect(await starting.exit()).toEqual({ code: 1, signal: null });

    await using ending = await startHub();
    await using stream = await openOver('http1', ending, `${HUB}?match=a`);
    stream.stall();
    ending.child.kill('SIGTERM');
    await ending.waitForLog(/stopping/);
    ending.child.kill('SIGHUP');
    expect(await ending.exit()).toEqual({ code: 0, signal: null });
    expect(ending.logs()).not.toContain(RELOADED);
  });
});

describe('a key that leaves the file of a key set', () => {
  interface Pair {
    readonly publicKey: KeyObject;
    readonly privateKey: KeyObject;
  }
  const [first, second]: [Pair, Pair] = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ];

  const setOf = (...pairs: Pair[]): string =>
    JSON.stringify({
      keys: pairs.map(({ publicKey }) => Object.assign(publicKey.export({ format: 'jwk' }), { kid: 'same' })),
    });

  const tokenOf = ({ privateKey }: Pair): Promise<string> =>
    new SignJWT({
      authorization_details: [
        { type: 'https://mercure.rocks/authorization-detail', actions: ['subscribe'], topics: [{ match: '*' }] },
      ],
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'same' })
      .setIssuer('herald')
      .setAudience(RESOURCE)
      .setExpirationTime('1h')
      .sign(privateKey);

  it('takes its streams along without a signal, and its remembered tokens, though another one has its name', async () => {
    const file = await put('jwks.json', setOf(first));
    await using herald = await Herald.start({
      env: { HERALD_JWKS_FILE: file, HERALD_RESOURCE: RESOURCE, HERALD_ANONYMOUS: 'false' },
    });
    const token = await tokenOf(first);
    await using stream = await openOver('http1', herald, `${HUB}?match=a`, bearer(token));
    expect(await statusFor(herald, token)).toBe(200);
    await put('jwks.json', setOf(second));
    await stream.over();
    expect(noticesOf(stream)).toEqual([{ type: 'revoked' }]);
    expect(await statusFor(herald, token)).toBe(401);
    expect(await statusFor(herald, await tokenOf(second))).toBe(200);
  });
});

/** Starts the service in a terminal of its own, takes that away once it listens, and prints its log and exit status. */
const IN_TERMINAL = `
import os, pty, sys
log, end = os.pipe()
child, terminal = pty.fork()
if child == 0:
    os.dup2(end, 1)
    os.dup2(end, 2)
    os.execvp(sys.argv[1], sys.argv[1:])
os.close(end)
output = b''
while b'Herald is at' not in output:
    output += os.read(log, 65536)
os.close(terminal)
while True:
    more = os.read(log, 65536)
    if not more:
        break
    output += more
print(output.decode())
print('status', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`;

describeWith(python, 'the end of the terminal', (program) => {
  it('ends a service that was started in it, in order', async () => {
    const { stdout } = await promisify(execFile)(
      program,
      ['-c', IN_TERMINAL, process.execPath, 'dist/server/main.js'],
      { cwd: ROOT, env: { ...HUB_ENVIRONMENT, PATH: process.env['PATH'], PORT: '0' }, timeout: 20_000 },
    );
    expect(stdout).toMatch(/the terminal, in which the service was started, is gone[^]*stopping/);
    expect(stdout).toContain(`status -${constants.signals.SIGHUP}`);
  });
});
