import { refusalOf } from '../client/refusal.js';
import { ask } from '../client/event-feed.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { type Finding, finding } from './finding.js';
import { bearer, type Probe, type ProbeStream } from './probe.js';

/** Milliseconds after which something counts as held back, and from which on it is slow. */
const HELD_BACK = 4_000;
const SLOW = 500;

const UNBUFFER = 'switch buffering off for the hub in the proxy (for nginx: proxy_buffering off): see docs/proxies.md';

/** Whether what is written to a stream comes at once: an update that is published for it, or else how it begins. */
export async function bufferingFinding(probe: Probe, stream: ProbeStream): Promise<Finding> {
  const begun = performance.now();
  if ((await stream.next(HELD_BACK)) === 'late') return heldBack('nothing of the stream has come');
  const first = Math.round(performance.now() - begun);
  const refusal = probe.tokens.publish === undefined ? 'there is no key to publish with' : await publish(probe);
  if (refusal === undefined) return deliveryFinding(stream);
  return finding('buffering', 'ok', `the stream began after ${first} ms; no update was sent: ${refusal}`);
}

/** Publishes an update for the stream, which only the doctor may read where it has a key for that. Answers why not. */
async function publish({ url, topic, tokens }: Probe): Promise<string | undefined> {
  const form = new URLSearchParams({ topic, data: 'herald doctor', ...(tokens.subscribe && { private: 'on' }) });
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...bearer(tokens.publish) };
  try {
    const response = await ask(url, { method: 'POST', headers, body: form.toString() });
    if (response.statusCode !== 200) return `the hub has refused it with ${await refusalOf(response)}`;
    response.resume();
    return undefined;
  } catch (error) {
    return `it could not be sent: ${messageOf(error)}`;
  }
}

/** The update was published just now. */
async function deliveryFinding(stream: ProbeStream): Promise<Finding> {
  const published = performance.now();
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one event after the other
    const fed = await stream.next(HELD_BACK - (performance.now() - published));
    if (fed === 'late') return heldBack('an update that was published has not come');
    if (fed === 'over')
      return finding('stream', 'fail', 'the stream ended before an update came', 'see what the log says');
    if ('event' in fed && fed.event.type !== 'herald') break;
  }
  const took = Math.round(performance.now() - published);
  const seen = `an update came ${took} ms after the hub had taken it`;
  return took > SLOW ? finding('buffering', 'warn', seen, UNBUFFER) : finding('buffering', 'ok', seen);
}

/** Something that a stream says has not come. */
export function heldBack(what: string): Finding {
  return finding('buffering', 'fail', `${what} in time`, UNBUFFER);
}

/** Whether a stream outlives `wait` milliseconds. */
export async function waitFinding(stream: ProbeStream, wait: number): Promise<Finding> {
  const begun = performance.now();
  for (let left = wait; left > 0; left = wait - (performance.now() - begun)) {
    // oxlint-disable-next-line no-await-in-loop -- one event after the other
    if ((await stream.next(left)) === 'over') return cutAfter(performance.now() - begun);
  }
  return finding('idle time-out', 'ok', `a quiet stream lived for ${Math.round(wait / 1_000)} s`);
}

function cutAfter(milliseconds: number): Finding {
  return finding(
    'idle time-out',
    'fail',
    `the stream was cut after ${Math.round(milliseconds / 1_000)} s`,
    "let the proxy's time-out for reading be longer than HERALD_HEARTBEAT, or HERALD_HEARTBEAT shorter",
  );
}
