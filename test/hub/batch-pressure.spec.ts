import { describe, expect, it } from '@jest/globals';
import { BatchClient } from '../support/batch-client.js';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { type Transport, TRANSPORTS } from '../support/transports.js';

/** Lines of 16 KiB, and how many of them are sent: more than the hub and the kernel between take of them. */
const DATA = 'x'.repeat(16 * 1024);
const LINES = 2_000;

/**
 * Looks at a batch, between each two of which the hub's event loop has turned, that must say the same: few while Redis may
 * not be away for long, and many where a chunk has thousands of lines, which are taken in turns with other work.
 */
const LOOKS = { few: 30, many: 500 };

/** Gives the next lines once those before them have left this process. */
async function sendAll(batch: BatchClient, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    batch.writeText(line);
    await batch.flushed();
  }
  batch.finish();
}

/** Resolves once the hub has taken nothing more of a body for a while in which it did other things. */
async function untilHeldBack(batch: BatchClient, { url }: Herald, looks: number): Promise<void> {
  let last = -1;
  for (let same = 0; same < looks; same += 1) {
    if (batch.given !== last) same = 0;
    last = batch.given;
    await textOf(await send(`${url}/health/live`));
  }
}

describeWith(redisServer, 'a batch while Redis does not answer', (program) => {
  it.each(TRANSPORTS)('over %s is read no further, and answered in order once it does', async (transport) => {
    await using redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
    const env = { HERALD_JOURNAL: redis.url, ...(transport !== 'http1' && TLS_ENVIRONMENT) };
    await using herald = await startHub(env);
    await using batch = await BatchClient.begin(transport, herald);
    const ids = Array.from({ length: LINES }, (_, number) => `urn:slow:${number}`);
    batch.write({ topic: 'urn:t', id: 'urn:first' });
    await batch.answerTo(0);
    redis.freeze();
    const sent = sendAll(
      batch,
      ids.map((id) => `${JSON.stringify({ topic: 'urn:t', data: DATA, id })}\n`),
    );
    await untilHeldBack(batch, herald, LOOKS.few);
    expect(batch.answers).toHaveLength(1);
    // The rest is still here: what has left lies in the hub or on the way there.
    expect(batch.given).toBeLessThan((LINES * DATA.length) / 2);
    redis.thaw();
    await sent;
    await batch.ended();
    expect([batch.ids, batch.isComplete]).toEqual([['urn:first', ...ids], true]);
  });
});

describe('a batch whose client takes no answers', () => {
  // Over HTTP/2 Node's client does not tell what has left it then.
  it.each<Transport>(['http1', 'tls'])('over %s is read no further', async (transport) => {
    await using herald = await startHub(transport === 'tls' ? TLS_ENVIRONMENT : {});
    await using batch = await BatchClient.begin(transport, herald, { isStalled: true });
    await batch.head();
    // As long as its answer.
    const refused = `${'x'.repeat(99)}\n`.repeat(160);
    const sent = sendAll(
      batch,
      Array.from({ length: 2 * LINES }, () => refused),
    );
    await untilHeldBack(batch, herald, LOOKS.many);
    expect(batch.given).toBeLessThan(LINES * refused.length);
    await batch.leave();
    await sent;
  });
});
