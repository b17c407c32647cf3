/*
 * Makes the fixtures of an older build: what it has stored in each engine, for `upgrade.spec.ts`. Give it the folder of
 * that build (`npm run bench -- --against COMMIT` builds one in `dist/against`) and the commit's name:
 * `node test/upgrade/make.js dist/against/COMMIT COMMIT`.
 */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';

const HUB = '/.well-known/mercure';
const RESOURCE = 'https://hub.example/.well-known/mercure';
const KEYS = {
  publish: 'a publisher key for tests that is long enough',
  subscribe: 'a subscriber key for tests that is long enough',
  admin: 'an administrator key for tests that is long enough',
};
const PREFIX = 'herald';

/** Of longer data, only the number of characters is noted. */
const LONG = 1_000;

/** The old build's clock, so that what it stores is not too old for a day after it was made. */
const CLOCK = Date.UTC(2100, 0, 1);
const SET_CLOCK = `data:text/javascript,Date.now=()=>${CLOCK}`;

const [folder, name] = process.argv.slice(2);
const target = fileURLToPath(new URL(`${name}/`, import.meta.url));
await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });

/** Updates of every kind, in the order in which they are published. Some have a key. */
const updates = [
  { topic: 'urn:a', data: 'plain' },
  { topic: 'urn:a', data: 'with an id', id: 'urn:uuid:own-id' },
  { topic: 'urn:a', data: 'ein Wort: Grüße, 你好, 🙂\nand another line', type: 'greeting', retry: '5000' },
  { topic: 'urn:a', data: 'private', private: 'on' },
  { topic: 'urn:a', data: 'once', key: 'a-key' },
  { topic: 'urn:a', data: '' },
  { topic: 'urn:a', data: 'the same id again', id: 'urn:uuid:own-id' },
  { topic: 'urn:a', data: 'large '.repeat(20_000) },
  ...Array.from({ length: 40 }, (_, index) => ({ topic: `urn:${index % 4}`, data: `number ${index}` })),
];

const lmdb = await mkdtemp(join(tmpdir(), 'herald-old-'));
const expected = await write(`lmdb:${lmdb}`);
for (const file of await readdir(lmdb, { recursive: true, withFileTypes: true })) {
  if (!file.isFile() || file.name === 'lock.mdb') continue;
  await writeFile(join(target, `${file.name}.gz`), gzipSync(await readFile(join(file.parentPath, file.name))));
}
await rm(lmdb, { recursive: true });
await writeFile(join(target, 'lmdb.json'), `${JSON.stringify(expected, undefined, 2)}\n`);

const port = await freePort();
const server = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'pipe' });
await once(server.stdout, 'data');
const redis = new Redis(port, '127.0.0.1');
const inRedis = await write(`redis://127.0.0.1:${port}`);
const keys = (await redis.keys(`{${PREFIX}}*`)).toSorted();
const dumps = {};
const rows = {};
for (const key of keys) {
  // What tells that a process is alive is over in seconds.
  if ((await redis.pttl(key)) !== -1) continue;
  // Redis has a clock of its own: the test sets the time of each row.
  if ((await redis.type(key)) === 'stream') rows[key] = await redis.xrange(key, '-', '+');
  else dumps[key] = (await redis.dumpBuffer(key)).toString('base64');
}
await writeFile(join(target, 'redis.json'), `${JSON.stringify({ ...inRedis, dumps, rows }, undefined, 2)}\n`);
redis.disconnect();
server.kill();
await once(server, 'close');

/** Has the old build store everything, and gives what a reader should find. */
async function write(journal) {
  const child = spawn(process.execPath, ['--import', SET_CLOCK, resolve(folder, 'dist/server/main.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      HERALD_JOURNAL: journal,
      HERALD_REDIS_PREFIX: PREFIX,
      HERALD_PUBLISHER_KEY: KEYS.publish,
      HERALD_SUBSCRIBER_KEY: KEYS.subscribe,
      HERALD_ADMIN_KEY: KEYS.admin,
      HERALD_ANONYMOUS: 'true',
      HERALD_RESOURCE: RESOURCE,
      LOG_LEVEL: 'info',
    },
  });
  const origin = await addressOf(child);
  const stored = [];
  for (const { key, ...fields } of updates) {
    const headers = key ? { 'idempotency-key': `"${key}"` } : {};
    const id = await post(`${origin}${HUB}`, new URLSearchParams(fields).toString(), 'publish', headers);
    const { topic, data } = fields;
    stored.push({ id, topic, data: data.length > LONG ? data.length : data, key });
  }
  const json = { 'content-type': 'application/json' };
  for (const revocation of [{ jti: 'revoked' }, { subject: 'mallory' }]) {
    await post(`${origin}/admin/revocations`, JSON.stringify(revocation), 'admin', json);
  }
  child.kill('SIGTERM');
  await once(child, 'close');
  return { stored };
}

async function addressOf(child) {
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  for (;;) {
    const found = /Herald is at (http:\/\/[^"\s]+)/.exec(output)?.[1];
    if (found) return found.replace('localhost', '127.0.0.1').replace(/\/$/, '');
    // oxlint-disable-next-line no-await-in-loop -- until it is there
    await once(child.stdout, 'data');
  }
}

async function post(url, body, action, headers) {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      authorization: `Bearer ${token(action)}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}: ${text}`);
  return text;
}

function token(action) {
  const now = Math.floor(CLOCK / 1_000);
  const details = [{ type: 'https://mercure.rocks/authorization-detail', actions: [action], topics: [{ match: '*' }] }];
  const claims = { iss: 'herald', aud: RESOURCE, iat: now, exp: now + 600, authorization_details: details };
  const signed = [{ alg: 'HS256', typ: 'at+jwt' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', KEYS[action]).update(signed).digest('base64url')}`;
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  return free;
}
