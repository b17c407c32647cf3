import { describe, expect, it } from '@jest/globals';
import { parseForm } from '../../protocol/form.js';
import { parseIdempotencyKey } from './idempotency-key.js';
import { draftFromForm, PUBLISH_FORM_LIMITS } from './publish-request.js';

function draft(body: string): ReturnType<typeof draftFromForm> {
  return draftFromForm(parseForm(Buffer.from(body), PUBLISH_FORM_LIMITS));
}

describe('draftFromForm', () => {
  it('reads every field', () => {
    expect(draft('topic=a&topic=b&data=hello&id=1&type=t&retry=5&private=on')).toEqual({
      topics: ['a', 'b'],
      data: 'hello',
      id: '1',
      type: 't',
      retry: '5',
      private: true,
    });
  });

  it('leaves out what is not there', () => {
    expect(draft('')).toEqual({ topics: [], private: false });
  });

  it.each(['private', 'private=', 'private=off', 'private=false'])('R32: takes "%s" for private', (field) => {
    expect(draft(`topic=a&${field}`).private).toBe(true);
  });

  it('uses the first of repeated fields, and ignores unknown ones (R36)', () => {
    expect(draft('topic=a&id=1&id=2&data=&data=x&Topic=b&topics=c&topic%5B%5D=d&constructor=e')).toEqual({
      topics: ['a'],
      id: '1',
      data: '',
      private: false,
    });
  });

  it('has room for as many topics as an update may have', () => {
    expect(draft(`${'topic=a&'.repeat(1000)}data=x`).topics).toHaveLength(1000);
  });
});

describe('parseIdempotencyKey', () => {
  it.each([
    [undefined, undefined],
    ['8e03978e-40d5', '8e03978e-40d5'],
    ['"8e03978e-40d5"', '8e03978e-40d5'],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['a"b', 'a"b'],
    ['a'.repeat(255), 'a'.repeat(255)],
  ])('reads %s', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  it.each(['', '""', '" "', 'a b', 'é', 'a'.repeat(256), `"${'a'.repeat(256)}"`, String.raw`"a\b"`, '"a"b"', 'a, b'])(
    'refuses %s',
    (header) => {
      expect(() => parseIdempotencyKey(header)).toThrow(expect.objectContaining({ code: 'idempotency-key-invalid' }));
    },
  );
});
