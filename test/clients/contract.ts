import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { Publisher, startHub, subscriberToken } from '../support/hub.js';
import type { CursorPlace, Received, SseClient } from './client.js';
import { attemptsAtBadGateway, attemptsWhenRefused, Observations } from './giving-up.js';
import { type Exchange, Proxy } from './support/proxy.js';
import { Reading } from './support/reading.js';
import {
  CURSOR_NOTICE,
  noticesIn,
  numbersIn,
  publishNumbers,
  range,
  urlOf,
  withoutCursors,
} from './support/updates.js';

/** Milliseconds in which a client that is refused may ask three times, and no more often. */
const SELDOM = 1_000;

/** Bytes that a refusal may cost, head and all. */
const CHEAP = 2_000;

/** What a client has to get across unharmed. */
const SAMPLES: readonly { readonly data: string; readonly type?: string }[] = [
  { data: 'plain' },
  { data: 'typed', type: 'note' },
  { data: 'two\nlines' },
  { data: '\nempty lines\n\naround and within\n' },
  { data: '  spaces: kept ' },
  { data: 'é 中 😀' },
  { data: '' },
  { data: 'x'.repeat(200_000) },
  { data: 'last' },
];

export interface ContractOptions {
  /** Added to the hubs' environment. */
  readonly env?: () => Readonly<Record<string, string>>;
}

/** The tests that every client passes, and that show what its entry says of it. */
export function describeClients(clients: readonly SseClient[], { env = () => ({}) }: ContractOptions = {}): void {
  let hub: Herald;
  let strict: Herald;
  let shortLived: Herald;
  let refusals: Observations;
  let badGateways: Observations;

  beforeAll(async () => {
    [hub, strict, shortLived] = await Promise.all([
      startHub(env()),
      startHub({ ...env(), HERALD_ANONYMOUS: 'false' }),
      startHub({ ...env(), HERALD_MAX_AGE: '2s' }),
    ]);
    // To see that nothing happens takes a while: all clients are watched at once, beside the other tests.
    const quitters = clients.filter(({ onBadGateway }) => onBadGateway === 'stops');
    refusals = new Observations(clients, (client) => attemptsWhenRefused(client, strict));
    badGateways = new Observations(quitters, (client) => attemptsAtBadGateway(client, hub));
  });

  afterAll(async () => {
    await Promise.all([refusals.over(), badGateways.over()]);
    await Promise.all([hub, strict, shortLived].map((herald) => herald[Symbol.asyncDispose]()));
  });

  describe.each(clients.map((client) => ({ name: client.name, client })))('$name', ({ client }) => {
    it('receives what is published, in order, as it was published', async () => {
      await using proxy = await Proxy.to(hub.port);
      await using reader = await client.open({ url: urlOf(proxy, 'receives') });
      using publisher = await Publisher.of(hub);
      await proxy.answered(1);
      const published: Received[] = [];
      for (const { data, type } of SAMPLES) {
        const id = await publisher.publish({ topic: 'urn:receives', data, ...(type && { type }) });
        published.push({ id, type: type ?? 'message', data: client.presents?.(data) ?? data });
      }
      expect(withoutCursors(await reader.until('last'))).toEqual(published);
    });

    it('gets what it missed when its connection was cut, once and in order, and goes on', async () => {
      await using reading = await Reading.start(client, hub, 'resumes', 5);
      const { proxy, reader, publisher, seen } = reading;
      proxy.cut();
      await publishNumbers(publisher, 'resumes', 6, 30);
      proxy.restore();
      await reader.resume?.();
      await reader.until('30');
      await reader.until('{"type":"caught-up"}');
      await publishNumbers(publisher, 'resumes', 31, 35);
      const all = await reader.until('35');
      expect(numbersIn(all)).toEqual(range(1, 35));
      expect(noticesIn(all)).toEqual([{ type: 'caught-up' }]);
      expect(cursorOf(client.cursor, proxy.requests.at(-1))).toBe(seen.at(-1)?.id);
    });

    it('gets what it missed also where nothing had come before', async () => {
      await using proxy = await Proxy.to(hub.port);
      await using reader = await client.open({ url: urlOf(proxy, 'quiet') });
      using publisher = await Publisher.of(hub);
      await reader.until(CURSOR_NOTICE);
      proxy.cut();
      await publishNumbers(publisher, 'quiet', 1, 5);
      proxy.restore();
      await reader.resume?.();
      const all = await reader.until('{"type":"caught-up"}');
      expect([numbersIn(all), noticesIn(all)]).toEqual([range(1, 5), [{ type: 'caught-up' }]]);
    });

    it('goes on without loss when the hub ends the stream, as it does with every stream in time', async () => {
      await using reading = await Reading.start(client, shortLived, 'ends', 5);
      const { proxy, reader, publisher } = reading;
      await proxy.ended();
      await publishNumbers(publisher, 'ends', 6, 30);
      await reader.resume?.();
      expect(numbersIn(await reader.until('30'))).toEqual(range(1, 30));
    });

    if (client.onBadGateway === 'tries again') {
      it('comes back when a gateway has answered 502 meanwhile, and gets what it missed', async () => {
        await using reading = await Reading.start(client, hub, 'gateway', 5);
        const { proxy, reader, publisher, seen } = reading;
        proxy.failLikeGateway();
        await proxy.failedLikeGateway();
        await publishNumbers(publisher, 'gateway', 6, 30);
        proxy.restore();
        await reader.until('30');
        const cursor = client.cursorAfterBadGateway ?? client.cursor;
        expect(cursorOf(cursor, proxy.requests.at(-1))).toBe(seen.at(-1)?.id);
        // Once more: a cursor that has got into the URL is old by now.
        proxy.cut();
        await publishNumbers(publisher, 'gateway', 31, 35);
        proxy.restore();
        expect(numbersIn(await reader.until('35'))).toEqual(range(1, 35));
      });
    } else {
      it('gives up when a gateway answers 502 meanwhile', async () => {
        expect(statusesOf(await badGateways.of(client))).toEqual([200, 502]);
      });
    }

    if (client.onRefusal === 'stops') {
      it('tells its user when the hub refuses it, and stops', async () => {
        expect(statusesOf(await refusals.of(client))).toEqual([401]);
      });
    } else {
      it('tries again when the hub refuses it, seldom enough to be cheap', async () => {
        const attempts = await refusals.of(client);
        expect(statusesOf(attempts)).toEqual([401, 401, 401]);
        expect((attempts[2]?.at ?? 0) - (attempts[0]?.at ?? 0)).toBeGreaterThan(SELDOM);
        expect(Math.max(...attempts.map(({ bytes }) => bytes))).toBeLessThan(CHEAP);
      });
    }

    if (!client.bearer) return;

    it('gets private updates with a token', async () => {
      await using proxy = await Proxy.to(strict.port);
      const token = await subscriberToken({ topics: [{ match: 'urn:private' }] });
      await using reader = await client.open({ url: urlOf(proxy, 'private'), token });
      using publisher = await Publisher.of(strict);
      await proxy.answered(1);
      const id = await publisher.publish({ topic: 'urn:private', data: 'secret', private: 'on' });
      expect(withoutCursors(await reader.until('secret'))).toEqual([{ id, type: 'message', data: 'secret' }]);
    });
  });
}

function statusesOf(exchanges: readonly Exchange[]): (number | undefined)[] {
  return exchanges.map(({ status }) => status);
}

/** The cursor of a request, where this client puts it. */
function cursorOf(place: CursorPlace, exchange: Exchange | undefined): string | null | undefined {
  return place === 'header' ? exchange?.lastEventId : exchange?.url.searchParams.get(place.parameter);
}
