import { describe, expect, it } from '@jest/globals';
import { Exposition } from './exposition.js';
import { loadExposition } from './load-exposition.js';

function missing(name: string): Error {
  const error = new Error(
    `Cannot find package '${name}' imported from /app/node_modules/herald-nest/lib/exposition.js`,
  );
  return Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
}

describe('loadExposition', () => {
  it('gives what has been loaded', async () => {
    expect(await loadExposition({ hasProcess: false })).toBeInstanceOf(Exposition);
  });

  it('says how to install the package that is missing', async () => {
    const cause = missing('prom-client');
    await expect(loadExposition({ hasProcess: false }, () => Promise.reject(cause))).rejects.toThrow(
      new Error(
        'HeraldMetricsModule needs the package "prom-client", which is not installed: install it with "npm install prom-client".',
        { cause },
      ),
    );
  });

  it('leaves another failure as it is', async () => {
    const failure = missing('@opentelemetry/api');
    await expect(loadExposition({ hasProcess: false }, () => Promise.reject(failure))).rejects.toBe(failure);
  });
});
