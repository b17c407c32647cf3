import { describe, expect, it } from '@jest/globals';
import { proposalFor } from './topic-proposal.js';

describe('the pattern that is proposed for an exact topic', () => {
  it.each([
    ['https://example.com/orders/*', 'https://example.com/orders/*', '*'],
    ['/orders/:id', '/orders/:id', ':id'],
    ['/users/{id}/orders/{order}', '/users/:id/orders/:order', '{id}'],
    ['/files/{+path}', '/files/*', '{+path}'],
  ])('%s', (text, pattern, part) => {
    expect(proposalFor({ kind: 'exact', text })).toEqual({ pattern: { kind: 'pattern', text: pattern }, part });
  });

  it.each(['*', 'https://example.com:8080/a', 'urn:a:b', '/a/b?c=d', 'https://example.com/:8'])(
    'is none: %s',
    (text) => {
      expect(proposalFor({ kind: 'exact', text })).toBeUndefined();
    },
  );

  it('is none for a pattern', () => {
    expect(proposalFor({ kind: 'pattern', text: '/a/*' })).toBeUndefined();
  });
});
