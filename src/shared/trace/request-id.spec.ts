import { describe, expect, it } from '@jest/globals';
import { makeRequestId, namesOf, requestIdOf } from './request-id.js';

const OWN = /^[\w-]{12}-[\da-z]+$/;

describe('the id of a request', () => {
  it.each(['1', 'Root=1-67891233-abcdef012345678912345678', 'a'.repeat(128), '4bf92f35/77b34da6:00+x_y.z-'])(
    'is the one that it comes with: %s',
    (id) => {
      expect(requestIdOf({ 'x-request-id': id })).toBe(id);
    },
  );

  it.each([undefined, '', 'a'.repeat(129), 'a b', 'a, b', '{"level":60}', 'a\u001b[31m', 'ä', 'a\n', '<b>'])(
    'is made where that is not sane: %j',
    (id) => {
      expect(requestIdOf({ 'x-request-id': id })).toMatch(OWN);
    },
  );

  it('is made once', () => {
    const ids = Array.from({ length: 1_000 }, makeRequestId);
    expect(new Set(ids).size).toBe(1_000);
  });

  it('is in log lines beside that of its trace, where it has one', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const names = { requestId: 'a', traceId: '0af7651916cd43dd8448eb211c80319c' };
    expect(namesOf({ id: 'a', headers: { traceparent } })).toEqual(names);
    expect(namesOf({ id: 'a', headers: { traceparent: 'x' } })).toEqual({ requestId: 'a' });
  });
});
