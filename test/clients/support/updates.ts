import { HUB, type Publisher } from '../../support/hub.js';
import type { Received } from '../client.js';
import type { Proxy } from './proxy.js';

/** Milliseconds that the updates ask a client to wait before it comes back, so that the tests need not wait for long. */
const RETRY = '100';

/** Where a client subscribes to a topic. */
export function urlOf(proxy: Proxy, topic: string): string {
  return `${proxy.url}${HUB}?match=urn:${topic}`;
}

export async function publishNumbers(publisher: Publisher, topic: string, from: number, to: number): Promise<void> {
  for (const data of range(from, to)) await publisher.publish({ topic: `urn:${topic}`, data, retry: RETRY });
}

export function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

/** The data of what was published, in the order in which it came. */
export function numbersIn(events: readonly Received[]): string[] {
  return events.filter(({ type }) => type !== 'herald').map(({ data }) => data);
}

/** What the hub says to tell a client where it is, and nothing else. */
export const CURSOR_NOTICE = '{"type":"cursor"}';

/** What else the hub itself had to say. */
export function noticesIn(events: readonly Received[]): unknown[] {
  return withoutCursors(events)
    .filter(({ type }) => type === 'herald')
    .map(({ data }) => JSON.parse(data) as unknown);
}

export function withoutCursors(events: readonly Received[]): Received[] {
  return events.filter(({ data }) => data !== CURSOR_NOTICE);
}
