import { describe, expect, it } from '@jest/globals';
import { createHeraldClient, type TokenRequest } from '../../client/lib/index.js';
import { HUB, publisherToken, startHub, subscribe } from '../support/hub.js';
import { Reader } from './reader.js';
import { type Answer, ScriptedHub, status } from './scripted-hub.js';

const accepted: Answer = (response) => response.end('urn:id');

/** Milliseconds that something may take before the test gives up on it. */
const PATIENCE = 10_000;

/** Data that no JSON can hold, or not all of it. */
const cyclic: Record<string, unknown> = {};
cyclic['itself'] = cyclic;
const UNFIT: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['a function', () => 1],
  ['a symbol', Symbol('mine')],
  ['a BigInt', 1n],
  ['a cycle', cyclic],
  ['an object with a function', { act: () => 1 }],
];

describe('publishing with a token that is refused', () => {
  it.each([
    ['asks once for a fresh one', [status(401), accepted], 'urn:id'],
    ['gives up when the fresh one is refused too', [status(401)], 'unauthorized'],
  ])('%s', async (_title, answers, outcome) => {
    await using hub = await ScriptedHub.start(...answers);
    const reasons: TokenRequest['reason'][] = [];
    const token = ({ reason }: TokenRequest): string => `token-${reasons.push(reason)}`;
    using reader = Reader.of(hub.url, { token });
    const got = await reader.client.publish('urn:t', 1).catch(({ code }: { readonly code: string }) => code);

    expect(got).toBe(outcome);
    expect(reasons).toEqual(['publish', 'unauthorized']);
    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(new Set(hub.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });
});

describe('publishing', () => {
  it('sends a text as it is, with a type and a time to come back after', async () => {
    await using herald = await startHub();
    const client = createHeraldClient({ url: herald.url + HUB, token: () => publisherToken() });
    await using stream = await subscribe(herald, { query: 'match=urn:page' });
    const html = '<turbo-stream action="append">\n<template>é 1 &amp; 2</template>\n</turbo-stream>';
    const id = await client.publish('urn:page', html, { as: 'text', type: 'turbo', retry: 1_234 });
    const event = await stream.until(({ events }) => events.some((one) => one.id === id));

    expect(event.events.at(-1)).toMatchObject({ id, data: html, event: 'turbo' });
    expect(stream.retries).toContain(1_234);
  });

  it.each(UNFIT)('refuses %s before anything is sent', async (_title, data) => {
    await using hub = await ScriptedHub.start(accepted);
    const client = createHeraldClient({ url: hub.url });

    await expect(client.publish('urn:t', data)).rejects.toMatchObject({ code: 'misused' });
    expect(hub.requests).toEqual([]);
  });

  it('refuses as a text what is none, and says what to do', async () => {
    await using hub = await ScriptedHub.start(accepted);
    const client = createHeraldClient({ url: hub.url });
    const data = { title: 'Dune' } as unknown as string;

    await expect(client.publish('urn:t', data, { as: 'text' })).rejects.toThrow(/must be a string/);
    expect(hub.requests).toEqual([]);
  });

  it('says why the hub refuses an update', async () => {
    await using herald = await startHub();
    const client = createHeraldClient({ url: herald.url + HUB, token: () => publisherToken() });
    const failure: unknown = await client.publish('urn:t', 1, { retry: 4_000_000 }).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'refused', status: 400, problem: { code: 'retry-invalid' } });
    expect(String(failure)).toMatch(/refused the update \(400 retry-invalid\): The retry time must be digits only/);
  });

  it('says that the token provider has failed, and not that the hub is away', async () => {
    await using hub = await ScriptedHub.start(accepted);
    const cause = new Error('logged out');
    const token = (): never => {
      throw cause;
    };
    const client = createHeraldClient({ url: hub.url, token });

    await expect(client.publish('urn:t', 1)).rejects.toMatchObject({ code: 'token-failed', cause });
    expect(hub.requests).toEqual([]);
  });

  it.each([
    ['ends with its signal, also while it waits to try again', [status(503, { 'retry-after': '60' })]],
    ['comes to its end', [status(503), accepted]],
  ])('%s, and leaves nothing at it', async (_title, answers) => {
    await using hub = await ScriptedHub.start(...answers);
    const client = createHeraldClient({ url: hub.url });
    const stop = new AbortController();
    const isAborted = answers.length === 1;
    let added = 0;
    let listeners = 0;
    const { signal } = stop;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...options: Parameters<typeof add>): void => {
      added += 1;
      listeners += 1;
      add(...options);
    };
    signal.removeEventListener = (...options: Parameters<typeof remove>): void => {
      listeners -= 1;
      remove(...options);
    };
    const publishing = client.publish('urn:t', 1, { signal });
    const outcome = publishing.catch((error: unknown) => error);
    const reason = new Error('enough');
    // One is added while it asks, and another one while it waits.
    await until(() => added === 2);
    if (isAborted) stop.abort(reason);

    expect(await outcome).toBe(isAborted ? reason : 'urn:id');
    expect(listeners).toBe(0);
  });

  it('ends with its signal while the token provider hangs', async () => {
    const asked = new AbortController();
    const token = (): Promise<string> => {
      asked.abort();
      return new Promise(() => undefined);
    };
    const client = createHeraldClient({ url: 'http://127.0.0.1:1', token });
    const stop = new AbortController();
    const publishing = client.publish('urn:t', 1, { signal: stop.signal });
    asked.signal.addEventListener('abort', () => stop.abort(new Error('enough')));

    await expect(publishing).rejects.toThrow('enough');
  });
});

/** Resolves once the condition holds, which something that is under way brings about. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('waited in vain');
    await new Promise(setImmediate);
  }
}
