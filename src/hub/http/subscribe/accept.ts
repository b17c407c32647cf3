import { HubError } from '../../../access/hub.errors.js';

/** What an `EventSource` sends. */
const OF_EVENT_SOURCE = 'text/event-stream';

/** Media ranges that cover an event stream, and how exactly. */
const RANGES: ReadonlyMap<string, number> = new Map([
  [OF_EVENT_SOURCE, 3],
  ['text/*', 2],
  ['*/*', 1],
]);

/**
 * Refuses a request that wants anything but an event stream. The most exact range decides (RFC 9110, 12.5.1); no header,
 * or one that can't be read, is no preference.
 *
 * No library does this: negotiator 1.1, which `@fastify/accepts` uses too, decides 6 of the 23 cases of the test otherwise.
 * It refuses `text/event-stream; charset=utf-8`, which clients do send, and whatever it can not read.
 *
 * @throws HubError `not-acceptable`
 */
export function checkAccept(accept: string | undefined): void {
  if (accept === undefined || accept === OF_EVENT_SOURCE || accept.trim() === '') return;
  let best = { exactness: 0, isExcluded: true };
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return;
    const exactness = RANGES.get(type) ?? 0;
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    if (exactness > best.exactness) best = { exactness, isExcluded: isZero(quality) };
  }
  if (best.isExcluded) throw new HubError('not-acceptable', 'A subscription is answered with text/event-stream.');
}

/** Whether a quality is zero, which excludes a range. A malformed one excludes nothing (RFC 9110, 12.4.2). */
function isZero(quality: string | undefined): boolean {
  return quality !== undefined && /^0(?:\.0{0,3})?$/.test(quality);
}
