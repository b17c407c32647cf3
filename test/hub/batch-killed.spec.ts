import { describe, expect, it } from '@jest/globals';
import { BatchClient } from '../support/batch-client.js';
import { describeEngines } from '../support/engines.js';
import { heldUpdates, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { TRANSPORTS } from '../support/transports.js';

const LINES = Array.from({ length: 1_000 }, (_, number) => ({
  topic: 'urn:t',
  data: String(number),
  key: `key-${number}`,
}));

describeEngines((engine, open) => {
  if (engine === 'memory') return;
  describe(`a process with a journal on ${engine} that is killed in the midst of a batch`, () => {
    it.each(TRANSPORTS)(
      'over %s has what it has answered, and trying again stores nothing twice',
      async (transport) => {
        const place = await open();
        try {
          const env = { HERALD_JOURNAL: place.url, ...(transport !== 'http1' && TLS_ENVIRONMENT) };
          await using herald = await startHub(env);
          await using batch = await BatchClient.begin(transport, herald);
          batch.write(...LINES.slice(0, 700));
          await batch.answerTo(10);
          await herald.kill('SIGKILL');
          await batch.ended();
          const answered = batch.ids;
          await using again = await startHub(env);
          const held = await heldUpdates(again, 'urn:t');
          expect(held.slice(0, answered.length).map(({ id }) => id)).toEqual(answered);
          await using second = await BatchClient.begin(transport, again);
          second.write(...LINES);
          second.finish();
          await second.ended();
          expect(second.ids.slice(0, answered.length)).toEqual(answered);
          const stored = await heldUpdates(again, 'urn:t');
          expect(stored.map(({ id }) => id)).toEqual(second.ids);
          expect(stored.map(({ data }) => data)).toEqual(LINES.map(({ data }) => data));
        } finally {
          await place.close();
        }
      },
    );
  });
});
