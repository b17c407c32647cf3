import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { HUB, token } from './hub.js';
import { ask, fill, listen, matchers, stream } from './strangers.js';

/** What crowds do that come and go, where the hub tells who is subscribed. */
export const PRESENCE_ROWS = [
  {
    name: '11 a crowd without tokens that comes and goes',
    atATime: 10,
    env: { HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '0' },
    prepare: watch,
    act: ({ port }, number) =>
      ask(port, { path: `${HUB}?${matchers(100, (one) => `https://t.example/${number}-${one}`)}`, patience: 20 }),
    end: missNothing,
  },
  {
    name: '12 a crowd with payloads that comes and goes',
    atATime: 10,
    env: { HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '0' },
    prepare: watch,
    async act({ port }, number) {
      const details = {
        type: 'https://mercure.rocks/authorization-detail',
        actions: ['subscribe'],
        topics: [{ match: '*' }],
        payload: { text: 'x'.repeat(2_000) },
      };
      const authorization = `Bearer ${token('subscribe', { sub: `somebody-${number}`, authorization_details: [details] })}`;
      const path = `${HUB}?${matchers(100, (one) => `urn:${number}-${one}`, 'match')}`;
      await ask(port, { path, authorization, patience: 20 });
    },
    end: missNothing,
  },
  {
    name: '13 lists of many who are subscribed',
    atATime: 4,
    env: { HERALD_SUBSCRIPTIONS: 'true' },
    async prepare({ port, hold }) {
      for (let number = 0; number < 2_000; number += 1) {
        const authorization = `Bearer ${token('subscribe', { sub: `somebody-${number}` })}`;
        hold(listen(port, `${HUB}?${matchers(20, (one) => `urn:${number}-${one}`, 'match')}`, authorization));
        // oxlint-disable-next-line no-await-in-loop -- a few at a time
        if (number % 50 === 0) await delay(50);
      }
      await delay(2_000);
    },
    async act({ port, random }) {
      const number = random.between(0, 2_000);
      const path = random.chance(0.5) ? '' : `/exact/${encodeURIComponent(`urn:${number}-0`)}`;
      const authorization = `Bearer ${token('subscribe')}`;
      await ask(port, { path: `${HUB}/subscriptions${path}?after=${random.between(0, 1_000)}`, authorization });
    },
  },
];

/** Publishes, and has somebody watch who comes and goes. */
async function watch(stage) {
  const { port, hold } = stage;
  await fill(stage);
  hold(stream(port, 'match=*', request, `Bearer ${token('subscribe')}`));
}

/** Whether the updates are all still there that were published before the crowd came. */
async function missNothing({ port, fail }) {
  // Without a token, comings and goings are not among what is replayed.
  const reader = listen(port, `${HUB}?match=*&last_event_id=earliest`, undefined, '"caught-up"');
  // Connections of the crowd that wait to be accepted come before this one.
  await reader.isOver(15_000);
  if (!reader.text.includes('"caught-up"')) fail('a replay took too long');
  const first = reader.text.match(/^data: x$/gm)?.length ?? 0;
  if (first !== 3_000) fail(`of 3,000 updates ${first} were left`);
}
