import { connect } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import { request as secureRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { HUB } from './hub.js';
import { ask, FORM, matchers, TRUST } from './strangers.js';

const HISTORY = `${HUB}/history`;

/** A topic of which the newest updates are private. */
const HIDDEN = 'https://hidden.example';

/** As costly a pattern as one may be, which nothing matches. */
const costly = (number) => `https://t.example/(.*a.{60}(?:z${number})?b)`;

/** What strangers ask of the past: the state of topics, and pages of the history. */
export const HISTORY_ROWS = [
  {
    name: '14 the latest of many topics, again and again',
    atATime: 100,
    prepare: fillState,
    async act({ port, random, fail }, number) {
      const body = `begin=latest&${LATEST[number % LATEST.length](number)}`;
      heed(fail, await ask(port, { method: 'QUERY', path: HUB, body, patience: random.between(20, 1_000) }));
    },
  },
  {
    name: '15 the history in pages that are long to make',
    atATime: 20,
    env: { HERALD_WRITE_TIMEOUT: '5s' },
    prepare: fillPast,
    async act({ port, random, fail }, number) {
      const query = `${PAGES[number % PAGES.length](number)}&limit=1000${random.chance(0.5) ? '' : '&order=asc'}`;
      const patience = random.between(200, 3_000);
      const question = random.chance(0.5)
        ? { method: 'QUERY', path: HISTORY, body: query }
        : { path: `${HISTORY}?${query}` };
      heed(fail, await ask(port, { ...question, patience }));
    },
    end: isStillGiven,
  },
  {
    name: '16 the history in pages that are not read',
    atATime: 4,
    env: { HERALD_WRITE_TIMEOUT: '5s' },
    prepare: fillPast,
    async act({ port, hold }, number) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      hold(socket);
      socket.pause();
      const body = 'match=urn:large';
      socket.write(
        number % 2
          ? `GET ${HISTORY}?${body} HTTP/1.1\r\nHost: a\r\n\r\n`
          : `QUERY ${HISTORY} HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await delay(50);
    },
    end: isStillGiven,
  },
  {
    name: '16 the same over HTTP/2',
    atATime: 2,
    isSecure: true,
    env: { HERALD_WRITE_TIMEOUT: '5s' },
    prepare: (stage) => fillPast({ ...stage, begin: secureRequest }),
    async act({ port, hold }) {
      const session = connectHttp2(`https://127.0.0.1:${port}`, { ...TRUST, settings: { initialWindowSize: 0 } });
      hold(session.on('error', () => undefined));
      for (let number = 0; number < 10; number += 1) {
        const head = {
          ':method': number % 2 ? 'GET' : 'QUERY',
          ':path': `${HISTORY}?match=urn:large`,
          'content-type': FORM,
        };
        session
          .request(head, { endStream: false })
          .on('error', () => undefined)
          .end(number % 2 ? undefined : 'x=y');
      }
      await delay(400);
    },
    end: (stage) => isStillGiven({ ...stage, begin: secureRequest }),
  },
  {
    name: '17 the history with forms as long as they may be',
    atATime: 300,
    prepare: fillPast,
    async act({ port, random, fail }, number) {
      const body = LONGEST[number % LONGEST.length];
      // Not all at once: what is asked is the history, and not how quickly bytes are taken.
      await delay(random.between(0, 2_000));
      heed(fail, await ask(port, { method: 'QUERY', path: HISTORY, body, patience: 20_000 }));
    },
    end: isStillGiven,
  },
];

/** Ways to ask for the latest: many topics each, looked up or read through. */
const LATEST = [
  () => matchers(100, (one) => `https://state.example/${one}/*`),
  () => matchers(1, () => 'https://state.example/*'),
  () => matchers(100, (one) => `https://state.example/:any/${one}*x`),
  () => matchers(1, () => `${HIDDEN}/*`),
  (number) => matchers(18, (one) => costly(number * 18 + one)),
];

/** Ways to ask for pages that take long: with patterns that nothing matches, much that may not be read, and much of all. */
const PAGES = [
  (number) => matchers(18, (one) => costly(number * 18 + one)),
  () => matchers(100, (one) => `https://*/:any/${one}*x`),
  () => matchers(1, () => `${HIDDEN}/*`),
  () => 'match=urn:large',
  (number) => `${matchers(17, (one) => `/(.*1.{60}(?:z${number}-${one})?b)`)}&${matchers(1, () => '/(.*1.{60}.*)')}`,
  () => 'match=*',
];

/** Topics, patterns, and what is no parameter, up to the limit: made once, because others share this process's core. */
const LONGEST = Array.from({ length: 10 }, (_, number) => {
  const topics = matchers(900, (one) => `urn:${number}-${one}-`.padEnd(140, 'x'), 'match');
  const patterns = matchers(100, (one) => `https://t.example/${number}-${one}-`.padEnd(140, 'y'));
  return `${topics}&${patterns}&`.padEnd(256 * 1024, 'z');
});

/** Publishes 90,000 updates of 7,000 topics, of which 40,000 may not be read. */
async function fillState({ port }) {
  for (let round = 0; round < 10; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- as a backend does
    await batch({ port }, 5_000, (one) => ({ topic: `https://state.example/${one % 100}/${one}`, data: `${round}` }));
  }
  await fillHidden(port);
}

async function fillHidden(port, begin) {
  for (let round = 0; round < 20; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- as a backend does
    await batch({ port, begin }, 2_000, (one) => ({ topic: `${HIDDEN}/${one}`, data: 'x', private: true }));
  }
}

/** Publishes what takes long to look through, to match and to send. */
async function fillPast({ port, begin }) {
  await fillHidden(port, begin);
  for (let part = 0; part < 10; part += 1) {
    const topics = (one) =>
      Array.from({ length: 40 }, (_, at) => `https://t.example/${part}/${one}-${at}-${'ab'.repeat(30)}`);
    // oxlint-disable-next-line no-await-in-loop -- as a backend does
    await batch({ port, begin }, 200, (one) => ({ topics: topics(one), data: 'x' }));
    // oxlint-disable-next-line no-await-in-loop -- as a backend does
    await ask(port, { method: 'POST', path: HUB, begin, body: `topic=urn:large&data=${'\u0001'.repeat(1_000_000)}` });
    // oxlint-disable-next-line no-await-in-loop -- as a backend does
    await ask(port, { method: 'POST', path: HUB, begin, body: manyTopics(part) });
  }
}

/** An update with as many topics as one may have, which numbers match. */
function manyTopics(part) {
  return matchers(1_000, (one) => `/${part}${one}${'1'.repeat(800)}`, 'topic');
}

async function batch({ port, begin }, count, make) {
  const body = Array.from({ length: count }, (_, one) => JSON.stringify(make(one))).join('\n');
  const status = await ask(port, { method: 'POST', path: `${HUB}/batch`, type: 'application/x-ndjson', body, begin });
  if (status !== 200) throw new Error(`a batch was answered with ${status}`);
}

/** What is refused for its shape is no attack. */
function heed(fail, status) {
  if (status >= 400 && status < 500) fail(`a question was refused: ${status}`);
}

/** Whether somebody else who asks for the history gets it once the strangers ask for no more. */
async function isStillGiven({ port, fail, begin }) {
  const status = await ask(port, { path: `${HISTORY}?match=urn:probe&limit=1`, patience: 15_000, begin });
  if (status !== 200) fail(`the history is not given any more: ${status}`);
}
