import { describe, expect, it } from '@jest/globals';
import ajv from 'ajv/dist/2020.js';
import type { Parameter } from '../../access/openapi/operation.js';
import { parseHistory } from './history/history-request.js';
import { HISTORY } from './history/history.openapi.js';
import { readUpdate } from './publish/json-update.js';
import { UPDATE } from './publish/publish.openapi.js';
import { SUBSCRIBING } from './subscribe/subscribe.openapi.js';
import { parseSubscribe } from './subscribe/subscribe-request.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

/** Whether it does not throw. */
function passes(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

describe('the schema of an update as JSON', () => {
  const fits = new ajv.default({ strict: false }).compile(UPDATE);
  const fields = Object.keys((UPDATE as { properties: object }).properties).filter((name) => name !== 'topic');
  const values = ['x', 5, true, ['x'], [5], {}, null];
  const updates = [
    ...values.map((topic) => ({ topic })),
    ...fields.flatMap((name) => values.map((value) => ({ topic: 'x', [name]: value }))),
  ];

  it.each(updates.map((update) => [JSON.stringify(update)]))('says of %s what the hub says', (json) => {
    expect(fits(JSON.parse(json))).toBe(passes(() => readUpdate(Buffer.from(json), 'json-invalid')));
  });
});

describe('the schemas of numbers in the query', () => {
  const accepts = (query: string): boolean =>
    passes(() => {
      parseHistory(query);
      return [...parseSubscribe({ query, hubUrl: HUB_URL })];
    });
  const bounded = [...(SUBSCRIBING.get.parameters ?? []), ...(HISTORY.get.parameters ?? [])].filter(
    ({ schema }) => 'maximum' in schema,
  );

  it('bound four parameters', () => {
    expect(bounded.map(({ name }) => name).toSorted()).toEqual(['heartbeat', 'last', 'limit', 'max_rate']);
  });

  it.each(bounded.map((one) => [one.name, one] as [string, Parameter]))(
    'bound %s as the hub does',
    (name, { schema }) => {
      const { minimum, maximum } = schema as { minimum: number; maximum: number };
      const accepted = [minimum / 2, minimum, maximum, maximum + 1].map((value) => accepts(`match=x&${name}=${value}`));
      expect(accepted).toEqual([false, true, true, false]);
    },
  );
});
