import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { runCli } from '../support/cli.js';
import { send } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  ADMIN_KEY,
  form,
  HUB,
  HUB_ENVIRONMENT,
  PUBLISHER_KEY,
  startHub,
  subscribe,
  subscriberToken,
  updatesOf,
} from '../support/hub.js';

/** Exit statuses of sysexits.h. */
const BAD_USAGE = 64;
const BAD_CONFIG = 78;

const TOPIC = 'https://example.com/books/1';

const ENV: Readonly<Record<string, string>> = { ...HUB_ENVIRONMENT, HERALD_ADMIN_KEY: ADMIN_KEY };

/** What the command prints, if all went well. */
async function printed(args: readonly string[], env: Readonly<Record<string, string>> = ENV): Promise<string> {
  const { status, output, errors } = await runCli(['token', ...args], env);
  expect([status, errors]).toEqual([0, '']);
  return output.trimEnd();
}

function publish(herald: Herald, token: string, topic = TOPIC) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' };
  return send(herald.url + HUB, { method: 'POST', headers }, form({ topic, data: 'x', private: '' }));
}

function pem(key: KeyObject): string {
  return key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }) as string;
}

async function write(directory: string, name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

async function explain(topic: string, token: string, more: string[] = []) {
  const { status, output, errors } = await runCli(['explain', '--topic', topic, '--token', token, ...more], ENV);
  const [publishing = '', reading = '', ...rest] = output.trimEnd().split('\n');
  expect([rest, errors]).toEqual([[], '']);
  return { status, publishing, reading };
}

describe('herald token', () => {
  let herald: Herald;
  let directory: string;

  beforeAll(async () => {
    herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_SUBSCRIPTIONS: 'true', HERALD_ANONYMOUS: 'false' });
    directory = await mkdtemp(join(tmpdir(), 'herald-cli-'));
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  it('mints, with the environment of a running hub, what that hub takes', async () => {
    const [toPublish = '', toSubscribe = ''] = (
      await printed(['--publish', 'https://example.com/books/:id', '--subscribe', TOPIC])
    ).split('\n');
    expect(toPublish).toMatch(/^publish [\w-]+\.[\w-]+\.[\w-]+$/);
    expect(toSubscribe).toMatch(/^subscribe [\w-]+\.[\w-]+\.[\w-]+$/);
    const authorization = `Bearer ${toSubscribe.split(' ')[1]}`;
    await using stream = await subscribe(herald, { query: 'match=*', headers: { authorization } });
    const token = toPublish.split(' ')[1] ?? '';
    expect((await publish(herald, token)).statusCode).toBe(200);
    expect((await publish(herald, token, 'https://example.com/books/1/pages')).statusCode).toBe(403);
    await stream.take(1);
    expect(updatesOf(stream)).toMatchObject([{ data: 'x' }]);
  });

  it('mints for an administrator', async () => {
    const authorization = `Bearer ${await printed(['--admin'])}`;
    const response = await send(`${herald.url}/admin/connections`, { headers: { authorization } });
    expect(response.statusCode).toBe(200);
    response.resume();
  });

  it('prints one token for both roles where they share a key', async () => {
    const output = await printed(['--publish', '*', '--subscribe', '*'], {
      ...ENV,
      HERALD_SUBSCRIBER_KEY: PUBLISHER_KEY,
    });
    expect(output).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(decodeJwt(output)['authorization_details']).toMatchObject([
      { actions: ['publish'] },
      { actions: ['subscribe'] },
    ]);
  });

  it('puts into the token what it is told to: type, lifetime, subject, audience, issuer and payload', async () => {
    const options = {
      subject: 'ann',
      ttl: '90s',
      issuer: 'herald',
      payload: '{"name":"Ann"}',
    };
    const token = await printed([
      '--subscribe=urlpattern:/x',
      '--subscribe=exact:/a/:b',
      '--audience=https://a.example/',
      '--audience=https://b.example/',
      ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ]);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'at+jwt' });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      iss: 'herald',
      sub: 'ann',
      aud: ['https://a.example/', 'https://b.example/'],
      client_id: 'herald',
      jti: expect.stringMatching(/^[\da-f-]{36}$/),
      authorization_details: [
        {
          type: 'https://mercure.rocks/authorization-detail',
          actions: ['subscribe'],
          topics: [{ match: '/x', match_type: 'urlpattern' }, { match: '/a/:b' }],
          payload: { name: 'Ann' },
        },
      ],
    });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(90);
  });

  it('names the hub of this machine as the audience where no other is configured', async () => {
    const { HERALD_RESOURCE: _, ...env } = ENV;
    const { aud } = decodeJwt(await printed(['--publish', '*'], { ...env, PORT: '8123' }));
    expect(aud).toEqual(['localhost', '127.0.0.1'].map((host) => `http://${host}:8123${HUB}`));
  });

  describe('with public keys', () => {
    const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const env = { ...ENV, HERALD_PUBLISHER_KEY: pem(mine.publicKey), HERALD_SUBSCRIBER_KEY: pem(mine.publicKey) };
    it('signs with the private key in a file, and the hub that has the public one takes it', async () => {
      const file = await write(directory, 'mine.pem', pem(mine.privateKey));
      const token = await printed(['--publish', '*', '--subscribe', '*', '--key-file', file], env);
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256' });
      await using hub = await startHub(env);
      expect((await publish(hub, token)).statusCode).toBe(200);
    });

    it('refuses a key file that is missing, unreadable, or of another key, and never says what is in it', async () => {
      const broken = await write(
        directory,
        'broken.pem',
        '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n',
      );
      const wrong = await write(directory, 'other.pem', pem(other.privateKey));
      for (const [file, reason] of [
        [join(directory, 'nowhere.pem'), /--key-file must be/],
        [broken, /--key-file must be/],
        [wrong, /not the private key of HERALD_PUBLISHER_KEY/],
      ] as const) {
        const { status, output, errors } = await runCli(['token', '--publish', '*', '--key-file', file], env);
        expect([status, output]).toEqual([BAD_USAGE, '']);
        expect(errors).toMatch(reason);
        expect(errors).not.toMatch(/secret|\n\s+at /);
      }
      const { errors } = await runCli(['token', '--publish', '*', '--key-file', wrong], ENV);
      expect(errors).toMatch(/not the private key/);
    });

    it('asks for the private key where there is only the public one', async () => {
      const { status, errors } = await runCli(['token', '--publish', '*'], env);
      expect(status).toBe(BAD_USAGE);
      expect(errors).toMatch(/HERALD_PUBLISHER_KEY is a public key.*--key-file/);
    });
  });

  it.each<[string, string[], RegExp]>([
    ['nothing to allow', [], /has to allow something/],
    ['an option that is not there', ['--pubish', 'x'], /--pubish.*\n\nUsage/],
    ['an option without its value', ['--publish'], /--publish/],
    ['something besides options', ['--publish', 'x', 'y'], /Usage/],
    ['a lifetime that is none', ['--publish', 'x', '--ttl', 'soon'], /--ttl must be a duration/],
    ['no lifetime', ['--publish', 'x', '--ttl', '0'], /--ttl must be a duration/],
    ['a payload that is no JSON', ['--subscribe', 'x', '--payload', '{'], /--payload must be a JSON object/],
    ['a payload that is a list', ['--subscribe', 'x', '--payload', '[]'], /--payload must be a JSON object/],
    ['an issuer that is unknown', ['--publish', 'x', '--issuer', 'them'], /--issuer must be one/],
    ['a pattern that is malformed', ['--publish', 'urlpattern:/{'], /pattern/],
    ['a topic with a line end', ['--publish', 'a\nb'], /control/],
  ])('refuses %s with status 64 and a message', async (_, args, reason) => {
    const { status, output, errors } = await runCli(['token', ...args], ENV);
    expect([status, output]).toEqual([BAD_USAGE, '']);
    expect(errors).toMatch(reason);
    expect(errors).not.toMatch(/\n\s+at /);
  });

  it('does not mint with a key that was made up, which no service knows', async () => {
    const { status, errors } = await runCli(['token', '--publish', '*'], {});
    expect(status).toBe(BAD_USAGE);
    expect(errors).toContain('HERALD_PUBLISHER_KEY is not set');
  });

  it('says with status 78 what is wrong with the environment, and repeats no secret', async () => {
    const { status, output, errors } = await runCli(['token', '--publish', '*'], { HERALD_PUBLISHER_KEY: 'too short' });
    expect([status, output]).toEqual([BAD_CONFIG, '']);
    expect(errors).toContain('HERALD_PUBLISHER_KEY must be at least 32 bytes');
    expect(errors).not.toContain('too short');
  });
});

describe('herald', () => {
  it('tells its commands and their options when it is asked to, and when it is not understood', async () => {
    const commands = ['token', 'explain', 'publish', 'tail', 'doctor', 'check'];
    for (const args of [['--help'], ['help'], ...commands.map((name) => [name, '--help'])]) {
      const { status, output, errors } = await runCli(args);
      expect([args, status, errors]).toEqual([args, 0, '']);
      expect(output).toMatch(/^Usage: herald /);
    }
    for (const args of [[], ['constructor'], ['tokens'], ['-v']]) {
      const { status, output, errors } = await runCli(args);
      expect([args, status, output]).toEqual([args, BAD_USAGE, '']);
      expect(errors).toMatch(/^Usage: herald COMMAND/);
    }
  });
});

describe('herald explain', () => {
  it('says yes, and with status 0, to what the token allows', async () => {
    const token = await printed(['--publish', 'https://example.com/books/:id']);
    expect(await explain(TOPIC, token)).toEqual({
      status: 0,
      publishing: 'publish: yes: a detail with the action "publish" matches the topic',
      reading: expect.stringMatching(/^read: no: .*signature does not verify/),
    });
    expect(await explain(TOPIC, await subscriberToken())).toMatchObject({
      status: 0,
      publishing: expect.stringMatching(/^publish: no: .*signature/),
      reading: expect.stringMatching(/^read: yes: /),
    });
  });

  it('says no, why, and with status 1, to another topic', async () => {
    const token = await printed(['--publish', 'urn:other']);
    const { status, publishing } = await explain(TOPIC, token);
    expect([status, publishing]).toEqual([
      1,
      'publish: no: the token is valid, but no detail with the action "publish" matches the topic',
    ]);
    const { reading } = await explain(TOPIC, await subscriberToken({ topics: [{ match: 'urn:other' }] }));
    expect(reading).toMatch(/^read: no: the token is valid, .*public updates only$/);
  });

  it('says no to a token that has expired, and to one for another audience', async () => {
    const expired = await subscriberToken({ expires: new Date(Date.now() - 60_000) });
    expect(await explain(TOPIC, expired)).toMatchObject({
      status: 1,
      reading: expect.stringContaining('it has expired'),
    });
    const elsewhere = await printed(['--publish', '*', '--audience', 'https://other.example/']);
    expect(await explain(TOPIC, elsewhere)).toMatchObject({
      status: 1,
      publishing: expect.stringContaining('audience does not name this hub'),
    });
    expect(await explain(TOPIC, elsewhere, ['--audience', 'https://other.example/'])).toMatchObject({
      status: 0,
      publishing: expect.stringMatching(/^publish: yes/),
    });
  });

  it('R30: says no to a topic that is reserved, whatever the token', async () => {
    const token = await printed(['--publish', '*']);
    for (const topic of ['/.well-known/mercure/x', '*']) {
      const { status, publishing } = await explain(topic, token);
      expect([status, publishing]).toEqual([1, expect.stringMatching(/^publish: no: .*(?:reserved|wildcard)/)]);
    }
  });

  it('says no to what is no token, and does not repeat it', async () => {
    for (const token of ['secret', 'a.b.c', 'AAAA.eyJpc3MiOiJoZXJhbGQifQ.AAAA']) {
      const { status, publishing, reading } = await explain(TOPIC, token);
      expect(status).toBe(1);
      expect(publishing + reading).not.toContain(token);
    }
  });

  it('reads the token from standard input, where nobody sees it in the list of processes', async () => {
    const token = await printed(['--publish', '*']);
    const ran = await runCli(['explain', '--topic', TOPIC, '--token', '-'], ENV, `${token}\n`);
    expect(ran.status).toBe(0);
    expect(ran.output).toMatch(/^publish: yes/);
    const endless = await runCli(['explain', '--topic', TOPIC, '--token', '-'], ENV, 'x'.repeat(1_000_000));
    expect(endless.status).toBe(BAD_USAGE);
    expect(endless.errors).toMatch(/too long/);
  });

  it('wants to know about which topic and which token', async () => {
    for (const args of [['--topic', 'x'], ['--token', 'x'], []]) {
      expect(await runCli(['explain', ...args], ENV)).toMatchObject({ status: BAD_USAGE, output: '' });
    }
  });
});
