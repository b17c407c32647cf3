import { describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { firstValueFrom, take, toArray } from 'rxjs';
import { effectScope, ref, watch } from 'vue';
import { fromHerald } from '../../client/lib/adapters/rxjs.js';
import { useHerald, useHeraldState } from '../../client/lib/adapters/vue.js';
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
      useHerald(reader.client, topic, ({ text }) => texts.push(text), { onLive: () => lives.emit('live') });
      watch(useHeraldState(reader.client), (state) => states.push(state), { flush: 'sync' });
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
});
