import { beforeAll, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Received } from '../../clients/client.js';
import { Proxy } from '../../clients/support/proxy.js';
import { range } from '../../clients/support/updates.js';
import { describeWith } from '../../support/programs.js';
import { buildProgram } from './follower.js';
import { versionInGuide } from './guide.js';
import { LANGUAGES, type Language } from './languages.js';
import { Stage } from './stage.js';

/** Milliseconds: fetching and building may take this long on a new machine. */
const BUILD = 600_000;

/** Milliseconds without an update: longer than the time-out of any client that has one by default. */
const SILENCE = 12_000;

/** Milliseconds between two updates under load. */
const PACE = 10;

/** What a client has to get across unharmed. */
const SAMPLES: readonly { readonly data: string; readonly type?: string }[] = [
  { data: 'plain' },
  { data: 'typed', type: 'note' },
  { data: 'two\nlines' },
  { data: '\nempty lines\n\naround and within\n' },
  { data: '  spaces: kept ' },
  { data: 'é 中 😀' },
  // Their UTF-8 has the byte 0x85, which ends a line for who takes it for ISO 8859-1.
  { data: 'х ą Å ✅' },
  // Some libraries of strings take these for the ends of lines.
  { data: 'a\u2028b\u2029c\u0085d\u000be\u000cf\u001cg' },
  { data: '' },
  { data: 'x'.repeat(60_000) },
  { data: 'x'.repeat(900_000) },
  { data: 'last' },
];

for (const language of LANGUAGES) {
  const [first] = language.tools;
  const missing = language.tools.find(({ path }) => path === undefined);
  describeWith(missing ?? first, `${language.name}, ${language.version}`, () => describeClient(language));
}

function describeClient(language: Language): void {
  let folder: string;
  beforeAll(async () => {
    folder = await buildProgram(language);
  }, BUILD);

  const open = (env: Readonly<Record<string, string>> = {}) => Stage.with({ language, folder }, env);

  it('is pinned to the version that the guide names', async () => {
    const pins = await readFile(join(folder, language.pins), 'utf8');
    expect(versionInGuide(language.library)).toBe(language.version);
    expect(pins).toContain(language.version);
  });

  it('receives what is published, in order, as it was published', async () => {
    await using stage = await open();
    await using follower = await stage.follow('values');
    const published: Received[] = [];
    for (const { data, type } of SAMPLES) {
      const id = await stage.publish({ topic: 'urn:values', data, ...(type && { type }) });
      published.push({ id, type: type ?? 'message', data: language.presents?.(data) ?? data });
    }
    await follower.until('last');
    expect(follower.events).toEqual(published);
  });

  it('goes on after the id that it is started with', async () => {
    await using stage = await open();
    await stage.publishNumbers('resumes', 1, 4);
    const lastId = await stage.publish({ topic: 'urn:resumes', data: '5' });
    await stage.publishNumbers('resumes', 6, 10);
    await using follower = await stage.follow('resumes', { lastId });
    await stage.publishNumbers('resumes', 11, 12);
    await follower.until('12');
    expect(follower.data).toEqual(range(6, 12));
  });

  it('gets the private updates that its token is for', async () => {
    await using stage = await open({ HERALD_ANONYMOUS: 'false' });
    await using follower = await stage.follow('private', { topics: [{ match: 'urn:private' }] });
    const id = await stage.publish({ topic: 'urn:private', data: 'secret', private: 'on' });
    await follower.until('secret');
    expect(follower.events).toEqual([{ id, type: 'message', data: 'secret' }]);
  });

  it('ends when it is refused, having asked once', async () => {
    await using stage = await open();
    await using follower = await stage.ask('refused', { expires: new Date(0) });
    expect(await follower.exit()).not.toBe(0);
    await stage.refuses();
    expect([stage.refusals, follower.events]).toEqual([[401], []]);
    expect(follower.errorOutput).toContain('401');
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'misses nothing and gets nothing twice over a restart by %s',
    async (signal) => {
      await using stage = await open();
      await using follower = await stage.follow('restarts');
      await stage.publishNumbers('restarts', 1, 20);
      await stage.restart(signal);
      await stage.publishNumbers('restarts', 21, 40);
      await follower.until('40');
      expect(follower.data).toEqual(range(1, 40));
    },
  );

  it('comes back, and misses nothing, when a gateway has answered 502 for the hub', async () => {
    await using stage = await open();
    await using proxy = await Proxy.to(stage.port);
    await using follower = await stage.follow('gateway', { proxy });
    await stage.publishNumbers('gateway', 1, 5);
    await follower.until('5');
    proxy.failLikeGateway();
    await proxy.failedLikeGateway();
    await stage.publishNumbers('gateway', 6, 30);
    proxy.restore();
    await follower.until('30');
    expect(follower.data).toEqual(range(1, 30));
  });

  it('misses nothing when the hub ends its streams under load', async () => {
    await using stage = await open({ HERALD_MAX_AGE: '3s' });
    await using follower = await stage.follow('ages');
    let count = 0;
    while (stage.streams < 4) {
      count += 1;
      await stage.publishNumbers('ages', count, count);
      await delay(PACE);
    }
    await follower.until(String(count));
    expect(follower.data).toEqual(range(1, count));
  });

  it('holds one connection while nothing comes, and misses nothing when that ends', async () => {
    await using stage = await open();
    await using follower = await stage.follow('quiet');
    await delay(SILENCE);
    expect(stage.streams).toBe(1);
    await stage.restart('SIGTERM');
    await stage.publishNumbers('quiet', 1, 3);
    await follower.until('3');
    expect(follower.data).toEqual(range(1, 3));
  });

  if (language.isImpatient) {
    it('comes back, and misses nothing, where heartbeats are too far apart for it', async () => {
      await using stage = await open();
      await using follower = await stage.follow('impatient', { heartbeat: 'default' });
      await stage.begins(2);
      await stage.publishNumbers('impatient', 1, 3);
      await follower.until('3');
      expect(follower.data).toEqual(range(1, 3));
    });
  }

  it('gets no empty messages from /events', async () => {
    // So that heartbeats come between the messages.
    await using stage = await open({ HERALD_EVENTS_INTERVAL: '500ms', HERALD_HEARTBEAT: '100ms' });
    await using follower = await stage.watchEvents();
    await follower.received(5);
    const fields = follower.data.map((data) => Object.keys(JSON.parse(data) as object));
    expect(fields).toEqual(fields.map(() => ['timestamp']));
  });
}
