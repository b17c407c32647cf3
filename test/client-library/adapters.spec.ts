import { describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { createSSRApp, defineComponent, effectScope, h, ref, watch } from 'vue';
import { renderToString as renderVue } from 'vue/server-renderer';
import * as react from '../../client/lib/adapters/react.js';
import { fromHerald } from '../../client/lib/adapters/rxjs.js';
import * as vue from '../../client/lib/adapters/vue.js';
import { createHeraldClient } from '../../client/lib/index.js';
import { Publisher, startHub } from '../support/hub.js';
import { Reader } from './reader.js';

describe('the adapter for RxJS', () => {
  it('gives messages to each subscriber, and lets go of the stream with the last', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url, { closeDelay: 0 });
    const three = firstValueFrom(fromHerald(reader.client, 'urn:t').pipe(take(3), toArray()));
    await reader.isOpen();
    for (const data of ['1', '2', '3', '4']) await publisher.publish({ topic: 'urn:t', data });

    expect((await three).map(({ text }) => text)).toEqual(['1', '2', '3']);
    await herald.waitForLog(/stream closed/);
  });

  it('completes when the client is disposed of', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    const all = lastValueFrom(fromHerald(reader.client, 'urn:t').pipe(toArray()));
    reader.read('urn:t');
    await reader.isOpen();
    await publisher.publish({ topic: 'urn:t', data: '1' });
    await reader.has('1');
    reader.client.dispose();

    expect((await all).map(({ text }) => text)).toEqual(['1']);
  });

  it('fails when the hub refuses the subscription', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    using reader = Reader.of(herald.url);

    await expect(lastValueFrom(fromHerald(reader.client, 'urn:t'))).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('the adapter for Vue', () => {
  it('follows the topic that a ref holds, and its scope', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    const topic = ref('urn:a');
    const texts: string[] = [];
    const states: string[] = [];
    const lives = new EventEmitter();
    const scope = effectScope();
    const firstLive = once(lives, 'live');
    scope.run(() => {
      vue.useHerald(reader.client, topic, ({ text }) => texts.push(text), { onLive: () => lives.emit('live') });
      watch(vue.useHeraldState(reader.client), (state) => states.push(state), { flush: 'sync' });
    });
    await firstLive;
    // Behind the component's own subscription: what comes here has come there.
    reader.read('urn:a');
    await publisher.publish({ topic: 'urn:a', data: 'a' });
    await reader.has('a');
    const secondLive = once(lives, 'live');
    topic.value = 'urn:b';
    await secondLive;
    await publisher.publish({ topic: 'urn:b', data: 'b' });
    await publisher.publish({ topic: 'urn:a', data: 'not for the component' });
    await reader.has('not for the component');
    scope.stop();
    await publisher.publish({ topic: ['urn:b', 'urn:a'], data: 'too late' });
    await reader.has('too late');

    expect(texts).toEqual(['a', 'b']);
    expect(states).toEqual(['connecting', 'open']);
  });

  it('shows why a subscription is refused', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    using reader = Reader.of(herald.url);
    const scope = effectScope();
    const shown = scope.run(() => vue.useSubscription('urn:t', { client: reader.client }));
    await new Promise((resolve) => shown && watch(shown.status, resolve, { flush: 'sync' }));

    expect(shown?.status.value).toBe('refused');
    expect(shown?.error.value).toMatchObject({ code: 'unauthorized' });
    scope.stop();
  });

  it('renders on a server, where it subscribes to nothing', async () => {
    const made = createHeraldClient();
    const Page = defineComponent(() => {
      vue.useHerald(vue.useHeraldClient(), 'urn:t', () => undefined);
      const { status, data } = vue.useSubscription(ref('urn:t'));
      const latest = vue.useLatest('*');
      const past = vue.useHistory('urn:t');
      const state = vue.useHeraldState();
      return () => h('p', [status, data, latest.status, past.status, state].map((one) => String(one.value)).join(' '));
    });
    const app = createSSRApp(Page).use(vue.heraldPlugin, made);

    expect(await renderVue(app)).toBe('<p>pending undefined pending pending idle</p>');
    expect(made.state).toBe('idle');
  });
});

describe('the adapter for React', () => {
  it('renders on a server, where it subscribes to nothing', () => {
    const Page = () => {
      const client = react.useHeraldClient();
      react.useHerald(client, 'urn:t', () => undefined);
      const { status, data } = react.useSubscription('urn:t');
      const off = react.useSubscription('urn:t', { enabled: false });
      const shown = [status, data, off.status, react.useLatest('*').status, react.useHistory('urn:t').status];
      return createElement('p', undefined, [...shown, react.useHeraldState(), client.state].join(' '));
    };

    expect(renderToString(createElement(react.HeraldProvider, undefined, createElement(Page)))).toBe(
      '<p>pending  disabled pending pending idle idle</p>',
    );
  });

  it('says what is missing where there is no client', () => {
    const Page = () => createElement('p', undefined, react.useSubscription('urn:t').status);

    expect(() => renderToString(createElement(Page))).toThrow(/put a HeraldProvider above/);
  });
});
