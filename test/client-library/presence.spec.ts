import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHeraldClient, type HeraldClient, type HeraldError, type Subscriber } from '../../client/lib/index.js';
import type { Herald } from '../support/herald.js';
import { HUB, startHub, subscribe, subscriberToken } from '../support/hub.js';
import { bearer } from '../protocol/exchange.js';
import { QUICK } from './reader.js';
import { type Answer, ScriptedHub, stream } from './scripted-hub.js';

const PATH = `${HUB}/subscriptions`;

/** What a handler was told, and an end to the waiting for it. */
class Attendance {
  readonly changes: string[] = [];
  readonly errors: HeraldError[] = [];
  present: readonly Subscriber[] = [];
  private wakeUp: () => void = () => undefined;

  constructor(client: HeraldClient, match: Parameters<HeraldClient['presence']>[0]) {
    this.stop = client.presence(match).subscribe(
      (present, { type, subscriber }) => {
        this.present = present;
        this.changes.push(subscriber ? `${type} ${nameOf(subscriber)}` : type);
        this.wakeUp();
      },
      {
        onError: (error) => {
          this.errors.push(error);
          this.wakeUp();
        },
      },
    );
  }

  readonly stop: () => void;

  get names(): string[] {
    return this.present.map(nameOf).toSorted();
  }

  async until(condition: (attendance: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => (this.wakeUp = resolve));
  }
}

function nameOf({ payload }: Subscriber): string {
  return (payload as { readonly name?: string } | undefined)?.name ?? '?';
}

async function enter(herald: Herald, name: string, query = 'match=urn:room') {
  return subscribe(herald, { query, headers: bearer(await subscriberToken({ subject: name, payload: { name } })) });
}

function clientOf(herald: { readonly url: string }, token = subscriberToken): HeraldClient {
  return createHeraldClient({ url: herald.url + HUB, token: () => token(), ...QUICK });
}

describe('who is subscribed', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub({ HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '0' });
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('is listed', async () => {
    await using ann = await enter(herald, 'ann', 'match=urn:list&match=urn:other');
    await using _bob = await enter(herald, 'bob', `match_urlpattern=${encodeURIComponent('/rooms/:id')}`);
    const client = clientOf(herald);
    const list = await client.presence('urn:list').list();
    const both = await client.presence(['urn:other', { pattern: '/rooms/:id' }]).list();

    expect(ann.response.statusCode).toBe(200);
    expect(list).toMatchObject([{ match: 'urn:list', matchType: 'exact', payload: { name: 'ann' } }]);
    expect(both.map(nameOf)).toEqual(['ann', 'bob']);
    expect(new Set([...list, ...both].map(({ id }) => id)).size).toBe(3);
    expect((await client.presence('*').list()).length).toBeGreaterThanOrEqual(3);
    client.dispose();
  });

  it('is followed: who comes, and who goes', async () => {
    await using _ann = await enter(herald, 'ann');
    const client = clientOf(herald);
    const attendance = new Attendance(client, 'urn:room');
    await attendance.until(({ changes }) => changes.length === 1);
    expect(attendance.names).toEqual(['ann']);
    const bob = await enter(herald, 'bob');
    await attendance.until(({ names }) => names.length === 2);
    await bob[Symbol.asyncDispose]();
    await attendance.until(({ names }) => names.length === 1);
    attendance.stop();
    await using _eve = await enter(herald, 'eve');
    await client.presence('urn:room').list();

    expect(attendance.changes).toEqual(['listed', 'joined bob', 'left bob']);
    expect(attendance.errors).toEqual([]);
    client.dispose();
  });

  it.each([
    ['nobody', () => createHeraldClient({ url: herald.url + HUB }), 'unauthorized'],
    ['another topic', () => clientOf(herald, () => subscriberToken({ topics: [{ match: 'urn:t' }] })), 'refused'],
  ])('is not told to a token that grants it to %s', async (_title, make, code) => {
    const client = make();
    const attendance = new Attendance(client, 'urn:room');
    await attendance.until(({ errors }) => errors.length > 0);

    expect(attendance.errors).toMatchObject([{ code }]);
    expect(client.state).toBe('idle');
    await expect(client.presence('urn:room').list()).rejects.toMatchObject({ code });
    client.dispose();
  });

  it('is told to a token that grants just that', async () => {
    await using _ann = await enter(herald, 'ann', 'match=urn:mine');
    const path = `${PATH}/exact/urn%3Amine`;
    const topics = [{ match: path }, { match: `${path}/*`, match_type: 'urlpattern' }];
    const client = clientOf(herald, () => subscriberToken({ topics }));
    const attendance = new Attendance(client, 'urn:mine');
    await attendance.until(({ names }) => names.length === 1);
    await using _bob = await enter(herald, 'bob', 'match=urn:mine');
    await attendance.until(({ names }) => names.length === 2);

    expect(attendance.changes).toEqual(['listed', 'joined bob']);
    client.dispose();
  });
});

describe('who is subscribed, at a hub that does not tell,', () => {
  it('is not supported', async () => {
    await using herald = await startHub();
    const client = clientOf(herald);
    const attendance = new Attendance(client, 'urn:room');
    await attendance.until(({ errors }) => errors.length > 0);

    expect(attendance.errors).toMatchObject([{ code: 'not-supported', problem: { code: 'not-found' } }]);
    client.dispose();
  });

  it('leaves nothing at the signal that could have ended it', async () => {
    await using herald = await startHub();
    const client = clientOf(herald);
    const { signal } = new AbortController();
    const left = new Promise<string>((resolve) => {
      signal.addEventListener = (_type: string, _listener: unknown, options?: AddEventListenerOptions | boolean) => {
        const ending = typeof options === 'object' ? options.signal : undefined;
        ending?.addEventListener('abort', () => resolve('nothing'));
      };
    });
    client.presence('urn:room').subscribe(() => undefined, { onError: () => undefined, signal });

    expect(await left).toBe('nothing');
    client.dispose();
  });

  it('is an error of the client where nobody else listens', async () => {
    await using herald = await startHub();
    const client = clientOf(herald);
    const failure = new Promise<HeraldError>((resolve) => client.on('error', resolve));
    client.presence('urn:room').subscribe(() => undefined);

    expect(await failure).toMatchObject({ code: 'not-supported' });
    client.dispose();
  });
});

describe('a list of subscribers', () => {
  /** Lists these names, `size` a page, at whichever path it is asked. */
  function listing(names: readonly string[] = [], size = 10): Answer {
    return (response, request) => {
      const url = new URL(request?.url ?? '', 'http://x');
      const after = Number(url.searchParams.get('after') ?? 0);
      const subscriptions = names.slice(after, after + size).map((name) => documentOf(name, true));
      const next = `<${PATH}?after=${after + size}>; rel="next"`;
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        link: `<${HUB}>; rel="mercure"; last-event-id="x"${after + size < names.length ? `, ${next}` : ''}`,
      });
      response.end(JSON.stringify({ id: url.pathname, type: 'subscriptions', subscriptions }));
    };
  }

  function documentOf(name: string, active: boolean): object {
    const id = `${PATH}/exact/urn%3Aroom/${name}`;
    return { id, match_type: 'exact', match: 'urn:room', subscriber: name, active, payload: { name } };
  }

  function change(name: string, active: boolean): string {
    const data = JSON.stringify(documentOf(name, active));
    return `event: mercure\nid: ${name}${active}\ntopic: ${PATH}/exact/urn%3Aroom/${name}\ndata: ${data}\n\n`;
  }

  it('is read page by page', async () => {
    await using hub = await ScriptedHub.start(listing(['ann', 'bob', 'eve'], 1));
    const list = await clientOf(hub).presence('urn:room').list();

    expect(list.map(nameOf)).toEqual(['ann', 'bob', 'eve']);
  });

  it.each([
    ['the first list is on its way', 1],
    ['the list is on its way', 2],
  ])('ends with the client, also while %s, without an error', async (_title, held) => {
    const client = { dispose: (): void => undefined };
    let lists = 0;
    await using hub = await ScriptedHub.start((response, request) => {
      if (request?.url?.startsWith(`${HUB}?`)) return stream()(response, request);
      lists += 1;
      if (lists === held) client.dispose();
      return listing()(response, request);
    });
    const real = clientOf(hub);
    client.dispose = () => real.dispose();
    const { signal } = new AbortController();
    const ended = new Promise<void>((resolve) => {
      signal.addEventListener = (_type: string, _listener: unknown, options?: AddEventListenerOptions | boolean) => {
        if (typeof options === 'object') options.signal?.addEventListener('abort', () => resolve());
      };
    });
    const told: unknown[] = [];
    const tell = (what: unknown): unknown => told.push(what);
    real.presence('urn:room').subscribe(tell, { onError: tell, signal });
    await ended;

    expect(told).toEqual([]);
  });

  it('counts what is told while it is on its way, and is asked for anew after a gap', async () => {
    const gap = 'event: herald\ndata: {"type":"gap","reason":"presence"}\n\n';
    let say: (text: string) => void = () => undefined;
    let isAsked: (release: () => void) => void = () => undefined;
    const second = new Promise<() => void>((resolve) => (isAsked = resolve));
    let lists = 0;
    await using hub = await ScriptedHub.start((response, request) => {
      if (request?.url?.startsWith(`${HUB}?`)) {
        say = (text) => response.write(text);
        return stream()(response, request);
      }
      lists += 1;
      // The first list says where changes are told, the second one is held back, and the third one comes after a gap.
      if (lists === 2) return isAsked(() => listing(['ann', 'bob'])(response, request));
      return (lists === 1 ? listing() : listing(['eve']))(response, request);
    });
    const client = clientOf(hub);
    const attendance = new Attendance(client, 'urn:room');
    const release = await second;
    const isSaid = new Promise((resolve) => client.on('notice', resolve));
    say(`${change('bob', false)}${change('joe', true)}event: herald\ndata: {"type":"other"}\n\n`);
    await isSaid;
    expect(attendance.changes).toEqual([]);
    release();
    await attendance.until(({ changes }) => changes.length === 1);
    expect(attendance.names).toEqual(['ann', 'joe']);
    say(gap);
    await attendance.until(({ changes }) => changes.length === 2);

    expect(attendance.names).toEqual(['eve']);
    expect(attendance.changes).toEqual(['listed', 'listed']);
    client.dispose();
  });
});
