import { describe, expect, it } from '@jest/globals';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import type { HubError } from '../../../access/hub.errors.js';
import { parseForm } from '../../protocol/form.js';
import { parseIdempotencyKey } from './idempotency-key.js';
import { draftFromForm, publicationOf } from './publish-request.js';

function draft(body: string): ReturnType<typeof draftFromForm> {
  return draftFromForm(
    parseForm(Buffer.from(body), { maxPairs: HUB_LIMITS.publishPairs, overflow: 'fields-too-many' }),
  );
}

/** What a JSON body asks for, or the code with which it is refused. */
function fromJson(body: string, headers: Record<string, string> = {}): unknown {
  try {
    return publicationOf({ body: Buffer.from(body), headers: { 'content-type': 'application/json', ...headers } });
  } catch (error) {
    return (error as HubError).code;
  }
}

describe('a publication as JSON', () => {
  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ])('is taken with the type %s', (type) => {
    const publication = { draft: { topics: ['a'], private: false }, idempotencyKey: undefined };
    expect(fromJson('{"topic":"a"}', { 'content-type': type })).toEqual(publication);
  });

  it.each(['iso-8859-1', 'utf-16', '"latin1"'])('is refused with the charset %s', (charset) => {
    const type = `application/json; charset=${charset}`;
    expect(fromJson('{"topic":"a"}', { 'content-type': type })).toBe('media-type-unsupported');
  });

  it('has its key in the header or in itself, and never two', () => {
    expect(fromJson('{"topic":"a"}', { 'idempotency-key': 'k' })).toMatchObject({ idempotencyKey: 'k' });
    expect(fromJson('{"topic":"a","key":"k"}')).toMatchObject({ idempotencyKey: 'k' });
    expect(fromJson('{"topic":"a","key":"k"}', { 'idempotency-key': '"k"' })).toMatchObject({ idempotencyKey: 'k' });
    expect(fromJson('{"topic":"a","key":"k"}', { 'idempotency-key': 'l' })).toBe('idempotency-key-invalid');
  });

  it.each(['', 'x', '[]', 'null', '{"topic":1}', '[{"topic":"a"}]', 'topic=a'])('is refused when it is %j', (body) => {
    expect(fromJson(body)).toBe('json-invalid');
  });
});

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
    ['a, a', 'a'],
    ['"a",  "a", "a"', 'a'],
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
