import { from, type Observable } from 'rxjs';
import { ref } from 'vue';
import { useHerald as useHeraldInReact } from '../../client/lib/adapters/react.js';
import { fromHerald } from '../../client/lib/adapters/rxjs.js';
import { useHerald as useHeraldInVue } from '../../client/lib/adapters/vue.js';
import { createHeraldClient, type HeraldClient, type Message } from '../../client/lib/index.js';

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

export function adaptersDoTheSame(): void {
  const prices = fromHerald(client, 'urn:price');
  same<typeof prices, Observable<Message<number>>>();
  const others = fromHerald(client, 'urn:other');
  same<typeof others, Observable<Message>>();
  const some = fromHerald(untyped, { pattern: 'https://example.com/:id' });
  same<typeof some, Observable<Message>>();
  from(prices).subscribe(({ data }) => same<typeof data, number>());
  useHeraldInReact(client, 'urn:book', ({ data }) => same<typeof data, { title: string }>());
  useHeraldInReact(client, 'urn:other', ({ data }) => same<typeof data, unknown>());
  useHeraldInVue(client, 'urn:book', ({ data }) => same<typeof data, { title: string }>());
  useHeraldInVue(client, ref('urn:book' as const), ({ data }) => same<typeof data, { title: string }>());
  useHeraldInVue(
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
