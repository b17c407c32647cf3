import { connect } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import { request as secureRequest } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { HUB, token } from './hub.js';
import { HISTORY_ROWS } from './history-rows.js';
import { PRESENCE_ROWS } from './presence-rows.js';
import { ask, fill, FORM, listen, matchers, NDJSON, stream, TRUST } from './strangers.js';

const ADMIN = token('admin');

/** As costly a pattern as one may be, which nothing matches. */
const costly = (number) => `https://t.example/(.*a.{60}(?:z${number})?b)`;

/** Matched with RE2, and cheap. */
const ordinary = (number) => `https://t.example/:id(\\d+)/${number}`;

/**
 * What strangers do. `prepare` comes before the figures without the attack, `begin` begins it, `act` is called again and
 * again by so many at a time while it lasts, `end` looks at what is left, and `env` is what the hub is started with
 * besides.
 */
export const ROWS = [
  {
    name: '1 costly patterns over the past',
    atATime: 2,
    prepare: fill,
    async act({ port, random }, number) {
      const path = `${HUB}?${matchers(20, costly)}&${number % 2 ? 'last=1000' : 'last_event_id=earliest'}`;
      await ask(port, { path, patience: random.between(200, 1_500) });
    },
  },
  {
    name: '2 streams with patterns, and new topics',
    atATime: 1,
    async begin({ port, hold }) {
      for (let number = 0; number < 50; number += 1) {
        const make = number % 2 ? costly : ordinary;
        hold(
          stream(
            port,
            matchers(20, (one) => make(number * 20 + one)),
          ),
        );
      }
      await delay(1_000);
    },
    async act({ port }, number) {
      await ask(port, { method: 'POST', path: HUB, body: `topic=https://t.example/${'ab'.repeat(200)}${number}` });
      await delay(100);
    },
  },
  {
    name: '3 patterns that are new each time',
    atATime: 4,
    async act({ port, random }, number) {
      const make = (one) => `https://t.example/${'{a}'.repeat(1_000)}${number}-${one}/:x(\\d+)`;
      const body = matchers(5, random.chance(0.5) ? make : (one) => `/${'é'.repeat(600)}${number}-${one}*x`);
      await ask(port, { method: 'QUERY', path: HUB, body, patience: 100 });
    },
  },
  {
    name: '4 uploads without a token that never end',
    atATime: 10,
    act: ({ port, hold }) => beginUpload(connect(port, '127.0.0.1'), hold),
  },
  {
    name: '4 the same over TLS',
    atATime: 10,
    isSecure: true,
    act: ({ port, hold }) => beginUpload(connectTls({ port, ...TRUST }), hold),
  },
  {
    name: '4 the same over HTTP/2',
    atATime: 5,
    isSecure: true,
    async act({ port, hold }) {
      const session = connectHttp2(`https://127.0.0.1:${port}`, TRUST).on('error', () => undefined);
      hold(session);
      for (let number = 0; number < 20; number += 1) {
        const head = { ':method': 'POST', ':path': HUB, 'content-type': FORM, 'content-length': '1000000' };
        session
          .request(head, { endStream: false })
          .on('error', () => undefined)
          .write('x'.repeat(60_000));
      }
      await delay(300);
    },
  },
  {
    name: '5 updates with a megabyte of topics',
    atATime: 2,
    env: { HERALD_RETAIN_BYTES: '64mb', HERALD_RECENT_BYTES: '32mb' },
    async act({ port }, number) {
      const topics = Array.from({ length: 200 }, (_, one) => `topic=${`${number}-${one}-`.padEnd(4_000, 'x')}`);
      await ask(port, { method: 'POST', path: HUB, body: topics.join('&') });
    },
  },
  {
    name: '6 batches of ten thousand',
    atATime: 4,
    async act({ port }, number) {
      const line = (_, one) => JSON.stringify({ topic: `https://m.example/${number}/${one}`, data: 'x' });
      const body = Array.from({ length: 10_000 }, line).join('\n');
      await ask(port, { method: 'POST', path: `${HUB}/batch`, type: NDJSON, body });
    },
  },
  {
    name: '6 batches without an end, sent slowly or never read',
    atATime: 4,
    env: { HERALD_WRITE_TIMEOUT: '5s' },
    async act({ port, hold }, number) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      hold(socket);
      const headers = [
        `Authorization: Bearer ${token('publish')}`,
        `Content-Type: ${NDJSON}`,
        'Transfer-Encoding: chunked',
      ];
      socket.write([`POST ${HUB}/batch HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n'));
      const write = (text) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
      await sendEndlessly(socket, write, number);
    },
  },
  {
    name: '6 the same over HTTP/2',
    atATime: 4,
    isSecure: true,
    env: { HERALD_WRITE_TIMEOUT: '5s' },
    async act({ port, hold }, number) {
      const session = connectHttp2(`https://127.0.0.1:${port}`, TRUST).on('error', () => undefined);
      hold(session);
      const head = { ':method': 'POST', ':path': `${HUB}/batch`, 'content-type': NDJSON };
      const authorization = `Bearer ${token('publish')}`;
      const streams = Array.from({ length: 5 }, async (_, one) => {
        const sent = session.request({ ...head, authorization }, { endStream: false }).on('error', () => undefined);
        await sendEndlessly(sent, (text) => sent.write(text), number + one);
      });
      await Promise.all(streams);
    },
  },
  {
    name: '7 long answers that are not read',
    atATime: 4,
    env: { HERALD_SUBSCRIPTIONS: 'true', HERALD_WRITE_TIMEOUT: '5s' },
    async prepare({ port, hold }) {
      for (let number = 0; number < 40; number += 1)
        hold(
          stream(
            port,
            matchers(900, (one) => `${number}-${one}`, 'match'),
          ),
        );
      await delay(1_000);
    },
    async act({ port, hold }) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      hold(socket);
      socket.pause();
      socket.write(
        `GET ${HUB}/subscriptions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token('subscribe')}\r\n\r\n`,
      );
      await delay(400);
    },
  },
  {
    name: '7 the same over HTTP/2',
    atATime: 2,
    isSecure: true,
    env: { HERALD_SUBSCRIPTIONS: 'true', HERALD_WRITE_TIMEOUT: '5s' },
    async prepare({ port, hold }) {
      for (let number = 0; number < 40; number += 1) {
        const query = matchers(900, (one) => `${number}-${one}`, 'match');
        hold(stream(port, query, secureRequest));
      }
      await delay(1_000);
    },
    async act({ port, hold }) {
      const session = connectHttp2(`https://127.0.0.1:${port}`, { ...TRUST, settings: { initialWindowSize: 0 } });
      hold(session.on('error', () => undefined));
      const authorization = `Bearer ${token('subscribe')}`;
      for (let number = 0; number < 10; number += 1) {
        session.request({ ':path': `${HUB}/subscriptions`, authorization }).on('error', () => undefined);
      }
      await delay(400);
    },
  },
  {
    name: '8 tokens that are revoked while their streams begin',
    atATime: 2,
    prepare: fill,
    async act({ port, random, fail }, number) {
      const jti = `revoked-${number}`;
      const authorization = `Bearer ${token('subscribe', { jti })}`;
      const path = `${HUB}?match=urn:secret&${matchers(19, costly)}&last=1000`;
      const reader = listen(port, path, authorization);
      await delay(random.between(0, 60));
      const revoked = await ask(port, {
        method: 'POST',
        path: '/admin/revocations',
        type: 'application/json',
        body: JSON.stringify({ jti }),
        authorization: `Bearer ${ADMIN}`,
      });
      if (revoked !== 200 && revoked !== 204) fail(`a revocation was answered with ${revoked}`);
      const data = `after-${number}-`;
      await ask(port, { method: 'POST', path: HUB, body: `topic=urn:secret&private=on&data=${data}` });
      await reader.isOver(5_000);
      if (reader.text.includes(data)) fail('a revoked token got a private update');
    },
  },
  {
    name: '9 more streams than there may be',
    atATime: 20,
    env: { HERALD_MAX_CONNECTIONS: '50' },
    async prepare({ port, hold }) {
      for (let number = 0; number < 60; number += 1) hold(stream(port, 'match=urn:t'));
      await delay(500);
    },
    async act({ port }) {
      await ask(port, { path: `${HUB}?${matchers(100, (one) => `https://t.example/:id/${one}*x`)}`, patience: 2_000 });
    },
  },
  {
    name: '10 tokens and patterns that are new each time',
    atATime: 4,
    async act({ port, random }, number) {
      const topics = Array.from({ length: 60 }, (_, one) => ({
        match: `/:id(\\d+)/${number}-${one}`,
        match_type: 'urlpattern',
      }));
      const authorization = `Bearer ${token('subscribe', { topics, jti: String(number) })}`;
      // Whether it may be told of a private update of this topic, all that it is granted has to be looked at for.
      const path = `${HUB}?match=/${number}/x&${matchers(5, (one) => `/:id(\\d+)/${number}-${one}`)}`;
      const reading = ask(port, { path, authorization, patience: random.between(200, 400) });
      await delay(100);
      await ask(port, { method: 'POST', path: HUB, body: `topic=/${number}/x&private=on` });
      await reading;
    },
  },
  ...PRESENCE_ROWS,
  ...HISTORY_ROWS,
];

/** Sends the beginning of a long line bit by bit, or refused lines whose answers nobody reads, and leaves it at that. */
async function sendEndlessly(socket, write, number) {
  if (number % 2) {
    socket.pause();
    write('x\n'.repeat(100_000));
    await delay(100);
    return;
  }
  socket.resume();
  write('{"topic":"urn:t"}\n{"topic":"urn:t","data":"');
  for (let part = 0; part < 10; part += 1) {
    write('x'.repeat(50_000));
    // oxlint-disable-next-line no-await-in-loop -- slowly
    await delay(10);
  }
}

/** Sends most of a body, and no more. */
async function beginUpload(socket, hold) {
  hold(socket.on('error', () => undefined));
  socket.write(`POST ${HUB} HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM}\r\nContent-Length: 1000000\r\n\r\n`);
  socket.write('x'.repeat(900_000));
  await delay(150);
}
