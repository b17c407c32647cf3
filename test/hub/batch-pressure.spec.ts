import { expect, it } from '@jest/globals';
import { BatchClient } from '../support/batch-client.js';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { TRANSPORTS } from '../support/transports.js';

/** Lines of 16 KiB, and how many of them are sent: more than the hub and the kernel between take of them. */
const DATA = 'x'.repeat(16 * 1024);
const LINES = 2_000;

/** Looks at a batch, between each two of which the hub's event loop has turned, that must say the same. */
const LOOKS = 30;

/** Resolves once the hub has taken nothing more of a body for a while in which it did other things. */
async function untilHeldBack(batch: BatchClient, { url }: Herald): Promise<void> {
  let last = -1;
  for (let same = 0; same < LOOKS; same += 1) {
    if (batch.taken !== last) same = 0;
    last = batch.taken;
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
    for (const id of ids) batch.write({ topic: 'urn:t', data: DATA, id });
    batch.finish();
    await untilHeldBack(batch, herald);
    expect(batch.answers).toHaveLength(1);
    // The rest is still here: what has left lies in the hub or on the way there.
    expect(batch.taken).toBeLessThan(batch.given / 2);
    redis.thaw();
    await batch.ended();
    expect([batch.ids, batch.isComplete]).toEqual([['urn:first', ...ids], true]);
  });
});
