import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { HUB, startHub } from '../support/hub.js';
import { ask, FORM } from './exchange.js';

describe('an empty matcher', () => {
  let herald: Herald;
  let bilingual: Herald;

  beforeAll(async () => {
    herald = await startHub();
    bilingual = await startHub({ HERALD_LEGACY: 'true' });
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
    await bilingual[Symbol.asyncDispose]();
  });

  it.each([
    ['a name without a value', 'match'],
    ['an empty value', 'match='],
    ['an empty pattern', 'match_urlpattern='],
    ['an empty value among others', 'match=urn:a&match=&match=urn:b'],
    ['an empty value with begin=latest', 'match=&begin=latest'],
  ])('R11: %s is an empty matcher, which nothing could match, and refused', async (_, parameters) => {
    const expected = { status: 400, code: 'matcher-invalid' };
    expect(await ask(herald, { query: parameters })).toMatchObject(expected);
    expect(await ask(herald, { query: parameters, path: `${HUB}/history` })).toMatchObject(expected);
    for (const path of [HUB, `${HUB}/history`]) {
      const question = { method: 'QUERY', path, headers: FORM, body: parameters };
      expect(await ask(herald, question)).toMatchObject(expected);
    }
    const legacy = parameters.replaceAll(/match(?:_urlpattern)?/g, 'topic');
    expect(await ask(bilingual, { query: legacy })).toMatchObject(expected);
  });
});
