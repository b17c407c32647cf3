import { createElement } from 'react';
import { from, type Observable } from 'rxjs';
import { type ComputedRef, createApp, ref } from 'vue';
import * as react from '../../client/lib/adapters/react.js';
import { fromHerald } from '../../client/lib/adapters/rxjs.js';
import * as vue from '../../client/lib/adapters/vue.js';
import {
  type BatchAnswer,
  createHeraldClient,
  type HeraldClient,
  type HistoryPage,
  type Message,
  type PastMessage,
  type Subscriber,
} from '../../client/lib/index.js';

/** What an application says of its topics. Nothing here is run: it must compile, and `@ts-expect-error` must be one. */
interface Topics {
  'urn:book': { title: string };
  'urn:price': number;
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- no shorter way tells `any` from other types
type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles where the two types are the same. */
declare function same<A, B>(...proof: IsSame<A, B> extends true ? [] : [never]): void;

declare const client: HeraldClient<Topics>;
declare const untyped: HeraldClient;

export function listedTopicsHaveTheirPayload(): void {
  client.subscribe('urn:book', (message) => same<typeof message, Message<{ title: string }>>());
  client.subscribe(['urn:book', 'urn:price'], ({ data }) => same<typeof data, { title: string } | number>());
  const books = client.iterate('urn:book');
  same<typeof books, AsyncGenerator<Message<{ title: string }>, void, undefined>>();
  void client.publish('urn:price', 3);
  // @ts-expect-error -- a price is a number
  void client.publish('urn:price', 'three');
}

export function otherTopicsHaveAnUnknownOne(): void {
  client.subscribe('urn:other', ({ data }) => same<typeof data, unknown>());
  client.subscribe({ pattern: 'https://example.com/:id' }, ({ data }) => same<typeof data, unknown>());
  client.subscribe(String(Date.now()), ({ data }) => same<typeof data, unknown>());
  untyped.subscribe('urn:book', ({ data }) => same<typeof data, unknown>());
  void client.publish('urn:other', { any: 'thing' });
}

export function publishingTakesWhatItsFormCanHold(): void {
  void client.publish('urn:book', '<p>Dune</p>', { as: 'text', type: 'html', retry: 5_000 });
  void client.publish(['urn:other'], null, { as: 'json' });
  // @ts-expect-error -- a text is a string
  void client.publish('urn:other', { title: 'Dune' }, { as: 'text' });
  same<ReturnType<typeof client.publishBatch>, Promise<BatchAnswer[]>>();
  void client.publishBatch([{ topic: ['urn:a', 'urn:b'], data: 1, idempotencyKey: 'mine' }]);
  // @ts-expect-error -- an update has a topic
  void client.publishBatch([{ data: 1 }]);
}

export function historyHasTheSamePayload(): void {
  const books = client.history('urn:book', { after: 'earliest', limit: 10 });
  same<typeof books, AsyncGenerator<PastMessage<{ title: string }>, void, undefined>>();
  const page = client.historyPage(['urn:book', 'urn:price']);
  same<typeof page, Promise<HistoryPage<{ title: string } | number>>>();
  void client.historyPage('urn:book').then(({ messages }) => same<(typeof messages)[0]['time'], Date | undefined>());
  // @ts-expect-error -- there is no such order
  client.history('urn:book', { order: 'random' });
}

export function presenceTellsOfSubscribers(): void {
  void client
    .presence('urn:book')
    .list()
    .then((list) => same<typeof list, readonly Subscriber[]>());
  const stop = client.presence({ pattern: '/rooms/:id' }).subscribe((list, { type }) => {
    same<typeof list, readonly Subscriber[]>();
    same<typeof type, 'listed' | 'joined' | 'left'>();
  });
  same<typeof stop, () => void>();
}

export function hooksHaveTheDataThatIsNamed(): void {
  react.HeraldProvider({ client, children: createElement('p') });
  react.HeraldProvider({ options: { share: 'none' } });
  same<ReturnType<typeof react.useHeraldClient<Topics>>, HeraldClient<Topics>>();
  const { data, status } = react.useSubscription<{ title: string }>('urn:book', { client, enabled: true, last: 1 });
  same<typeof data, { title: string } | undefined>();
  same<typeof status, 'disabled' | 'pending' | 'live' | 'refused' | 'ended'>();
  const { data: other } = react.useSubscription('urn:other');
  same<typeof other, unknown>();
  const { byTopic } = react.useLatest<number>('*');
  same<typeof byTopic, ReadonlyMap<string, Message<number>>>();
  const { messages, loadMore } = react.useHistory<number>('urn:price', { limit: 5, order: 'asc' });
  same<typeof messages, readonly PastMessage<number>[]>();
  same<typeof loadMore, () => Promise<void>>();
  // @ts-expect-error -- it has no such option
  react.useSubscription('urn:book', { every: 1 });
}

export function composablesHaveTheDataThatIsNamed(): void {
  createApp({}).use(vue.heraldPlugin, { url: '/hub' }).use(vue.heraldPlugin, untyped);
  same<ReturnType<typeof vue.provideHerald>, HeraldClient>();
  const { data } = vue.useSubscription<number>(() => 'urn:price', { client, enabled: ref(false) });
  same<typeof data, ComputedRef<number | undefined>>();
  const { byTopic } = vue.useLatest<number>(ref(['urn:price']));
  same<typeof byTopic, ComputedRef<ReadonlyMap<string, Message<number>>>>();
  const { messages } = vue.useHistory<number>('urn:price');
  same<typeof messages, ComputedRef<readonly PastMessage<number>[]>>();
}

export function adaptersDoTheSame(): void {
  const prices = fromHerald(client, 'urn:price');
  same<typeof prices, Observable<Message<number>>>();
  const others = fromHerald(client, 'urn:other');
  same<typeof others, Observable<Message>>();
  const some = fromHerald(untyped, { pattern: 'https://example.com/:id' });
  same<typeof some, Observable<Message>>();
  from(prices).subscribe(({ data }) => same<typeof data, number>());
  react.useHerald(client, 'urn:book', ({ data }) => same<typeof data, { title: string }>());
  react.useHerald(client, 'urn:other', ({ data }) => same<typeof data, unknown>());
  vue.useHerald(client, 'urn:book', ({ data }) => same<typeof data, { title: string }>());
  vue.useHerald(client, ref('urn:book' as const), ({ data }) => same<typeof data, { title: string }>());
  vue.useHerald(
    untyped,
    () => ['urn:a', 'urn:b'],
    ({ data }) => same<typeof data, unknown>(),
  );
}

export function optionsAreChecked(): void {
  // @ts-expect-error -- there is no such way to share
  createHeraldClient({ share: 'sometimes' });
  // @ts-expect-error -- ids are text
  client.subscribe('urn:book', () => undefined, { since: 3 });
  client.on('error', ({ code }) => {
    // @ts-expect-error -- there is no such code
    if (code === 'lost') return;
  });
}
