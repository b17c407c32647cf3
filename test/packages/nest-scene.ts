import { expect } from '@jest/globals';
import { openStream, send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { form, HUB, subscribe, updatesOf } from '../support/hub.js';

const TOPIC = 'https://example.com/books';

/** Somebody subscribes, the application's own route publishes, and its own stream ticks. */
export async function expectHub(application: Herald): Promise<void> {
  await using stream = await subscribe(application, { query: `match=${TOPIC}` });
  const created = await post(application, '/books', 'application/json', '{"title":"Dune"}');
  expect([created.status, created.text]).toEqual([201, expect.stringMatching(/^urn:uuid:/)]);
  await stream.until(() => updatesOf(stream).length === 1);
  expect(updatesOf(stream)).toEqual([{ id: created.text, data: '{"title":"Dune"}' }]);
  await using ticks = await openStream(`${application.url}/books/ticks`);
  await ticks.until(({ events }) => events.length === 1);
  // A stream of the application's own is looked after as well.
  expect(ticks.retries).toHaveLength(1);
}

/** What the hub answers to a publication over HTTP, beside routes of the application that take JSON. */
export async function publishOverHttp(application: Herald): Promise<number | undefined> {
  const body = form({ topic: TOPIC, data: '{"title":"Emma"}' });
  return (await post(application, HUB, 'application/x-www-form-urlencoded', body)).status;
}

async function post(
  { url }: Herald,
  path: string,
  type: string,
  body: string,
): Promise<{ status: number | undefined; text: string }> {
  const response = await send(url + path, { method: 'POST', headers: { 'content-type': type } }, body);
  return { status: response.statusCode, text: await textOf(response) };
}
