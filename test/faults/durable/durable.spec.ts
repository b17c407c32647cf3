import { describe, expect, it } from '@jest/globals';
import { DURATION, SEED, TIMEOUT } from '../support/run-options.js';
import { ALL_SCENARIOS } from './scenarios/all.js';
import { Random } from './support/random.js';

for (const { title, missing, run } of ALL_SCENARIOS) {
  const reason = missing();
  const shown = reason === undefined ? title : `${title} [SKIPPED, ${reason}]`;
  const describeOrSkip = reason === undefined || process.env['CI'] ? describe : describe.skip;
  describeOrSkip(shown, () => {
    it(
      'loses nothing that was acknowledged, and doubles nothing',
      async () => {
        const said: string[] = [`npm run faults -- --seed ${SEED}`];
        const { wrong } = await run({ random: new Random(SEED), duration: DURATION, say: (line) => said.push(line) });
        expect({ wrong, said }).toEqual({ wrong: [], said });
      },
      TIMEOUT,
    );
  });
}
