import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { type Herald, startHerald } from '../support/herald.js';
import { form, HUB, HUB_ENVIRONMENT, publisherToken, TLS_ENVIRONMENT } from '../support/hub.js';
import { subscribeOver, type Transport } from '../support/transports.js';
import { Upload, type UploadAnswer, type UploadHead } from '../support/upload.js';

const TROUBLEMAKER = fileURLToPath(new URL('../support/troublemaker.js', import.meta.url));

/** Each transport, and each trouble: what is measured is the process, whatever it speaks. */
const WAYS: readonly (readonly [Transport, 'block' | 'fill'])[] = [
  ['http1', 'block'],
  ['tls', 'fill'],
  ['http2', 'block'],
];

/** A process of which the test can have the event loop blocked (`block`) or the heap filled (`fill`), until `calm`. */
function start(transport: Transport): Promise<Herald> {
  return startHerald({
    env: { ...HUB_ENVIRONMENT, ...(transport !== 'http1' && TLS_ENVIRONMENT) },
    nodeArguments: ['--import', TROUBLEMAKER, '--max-old-space-size=192', '--max-semi-space-size=1'],
  });
}

async function publish(transport: Transport, herald: Herald, path = HUB): Promise<UploadAnswer> {
  const isBatch = path !== HUB;
  const head: UploadHead = {
    path,
    headers: {
      'content-type': isBatch ? 'application/x-ndjson' : 'application/x-www-form-urlencoded',
      authorization: `Bearer ${await publisherToken()}`,
    },
  };
  await using upload = Upload.begin(transport, herald, head);
  await upload.write(isBatch ? '{"topic":"urn:t","data":"x"}\n' : form({ topic: 'urn:t', data: 'x' }));
  upload.end();
  return await upload.answer;
}

describe('too much to do', () => {
  it.each(WAYS)('refuses what is new until it is over, and keeps what is there: %s, %s', async (transport, trouble) => {
    await using herald = await start(transport);
    await using before = await subscribeOver(transport, herald, `${HUB}?match=urn:t`);
    await before.until(({ hasBegun }) => hasBegun);

    herald.child.send(trouble);
    await herald.waitForLog(/new publications are refused/);
    expect(herald.logs()).toMatch(/new streams are refused.*new publications are refused/s);
    await using refused = await subscribeOver(transport, herald, `${HUB}?match=urn:t`);
    await refused.until(({ ended }) => ended);
    expect([refused.status, refused.events.map(({ data }) => data)]).toEqual([200, ['{"type":"overloaded"}']]);
    for (const path of [HUB, `${HUB}/batch`]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, because the process has enough to do
      const { status, body, headers } = await publish(transport, herald, path);
      expect([status, (JSON.parse(body) as { code: unknown }).code]).toEqual([503, 'overloaded']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(before.ended).toBe(false);

    herald.child.send('calm');
    await herald.waitForLog(/new streams are taken again/);
    await using after = await subscribeOver(transport, herald, `${HUB}?match=urn:t`);
    await after.until(({ hasBegun }) => hasBegun);
    expect(await publish(transport, herald)).toMatchObject({ status: 200 });
    for (const stream of [before, after]) await stream.until(({ events }) => events.length > 0);
    expect([before, after].map(({ events }) => events.map(({ data }) => data))).toEqual([['x'], ['x']]);
  });
});
