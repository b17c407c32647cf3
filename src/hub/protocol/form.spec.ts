import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HubError } from '../../access/hub.errors.js';
import { type FormLimits, type FormPair, parseForm } from './form.js';

const LIMITS: FormLimits = { maxPairs: 1000, overflow: 'fields-too-many' };

function parse(input: string): FormPair[] {
  return parseForm(input, LIMITS);
}

function codeOf(input: string | Uint8Array, limits = LIMITS): string {
  try {
    parseForm(input, limits);
  } catch (error) {
    if (error instanceof HubError) return error.code;
  }
  return 'accepted';
}

describe('parseForm', () => {
  it.each<[string, FormPair[]]>([
    ['', []],
    ['&&', []],
    [
      'a=1&b=2&a=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
    ],
    ['a', [['a', '']]],
    ['=', [['', '']]],
    ['a==b=', [['a', '=b=']]],
    ['a=b;c=d', [['a', 'b;c=d']]],
    ['a=1+2%2B3', [['a', '1 2+3']]],
    [
      'a=100%&b=%zz%4',
      [
        ['a', '100%'],
        ['b', '%zz%4'],
      ],
    ],
    ['%61%3d=%26', [['a=', '&']]],
    ['a=%C3%a9', [['a', 'é']]],
    ['a=%EF%BB%BFx', [['a', '\ufeffx']]],
    ['a=%00%0D%0A', [['a', '\0\r\n']]],
    ['?a=1', [['?a', '1']]],
  ])('R11: reads "%s" as the URL Standard does', (input, pairs) => {
    expect(parse(input)).toEqual(pairs);
    expect([...new URLSearchParams(input === '?a=1' ? '%3Fa=1' : input)]).toEqual(pairs);
  });

  it('agrees with URLSearchParams on everything that is valid UTF-8', () => {
    const texts = fc.array(
      fc.oneof(fc.constantFrom('&', '=', '+', ';', '%', '%4', '%41', '%e4%b8%ad', '%26', 'a', '?'), fc.string()),
    );
    fc.assert(
      fc.property(texts, (pieces) => {
        // As in a request line, everything above ASCII is percent-encoded.
        const input = pieces.join('').replaceAll(/[^\0-\x7f]/g, '');
        const expected = [...new URLSearchParams(`&${input}`)];
        fc.pre(!expected.flat().some((text) => text.includes('\ufffd')));
        expect(parse(input)).toEqual(expected);
        expect(parseForm(Buffer.from(input), LIMITS)).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with it on bodies that are not percent-encoded', () => {
    const texts = fc.array(fc.oneof(fc.constantFrom('&', '=', '+', '%41', '%e4%b8%ad'), fc.string({ unit: 'binary' })));
    fc.assert(
      fc.property(texts, (pieces) => {
        // Beside a stray `%`, Node takes characters above U+00FF for others.
        const input = pieces.join('').replaceAll(/%(?![\da-f]{2})/gi, '');
        const expected = [...new URLSearchParams(`&${input}`)];
        fc.pre(!expected.flat().some((text) => text.includes('\ufffd')));
        expect(parseForm(Buffer.from(input), LIMITS)).toEqual(expected);
      }),
    );
  });

  it('takes a stray % as it is, also beside characters that are not percent-encoded', () => {
    expect(parseForm(Buffer.from('%41\u0800%=\u0800%4'), LIMITS)).toEqual([['A\u0800%', '\u0800%4']]);
  });

  it('gives back what URLSearchParams serialises', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))), (pairs) => {
        expect(parse(new URLSearchParams(pairs).toString())).toEqual(pairs);
      }),
    );
  });

  it.each(['a=%FF', '%C3=a', 'a=%C3%28', 'a=%ED%A0%80', 'a=%C0%80', 'a=%F5%80%80%80', 'a=%E4%B8'])(
    'R29: refuses %s, which is not UTF-8',
    (input) => {
      expect(codeOf(input)).toBe('encoding-invalid');
    },
  );

  it('takes a string for bytes, and refuses one that can be none', () => {
    expect(parse('a=\u00c3\u00a9')).toEqual([['a', 'é']]);
    expect(codeOf('a=é')).toBe('encoding-invalid');
    expect(codeOf('a=中')).toBe('encoding-invalid');
  });

  it('reads the raw bytes of a body', () => {
    expect(parseForm(Buffer.from('data=é+%C3%A9'), LIMITS)).toEqual([['data', 'é é']]);
    expect(codeOf(Buffer.from([0x61, 0x3d, 0xff]))).toBe('encoding-invalid');
    expect(parseForm(new Uint8Array(Buffer.from('xa=b')).subarray(1), LIMITS)).toEqual([['a', 'b']]);
  });

  it('has a limit to the number of pairs', () => {
    const limits = { maxPairs: 2, overflow: 'parameters-too-many' } as const;
    expect(codeOf('a&&b', limits)).toBe('accepted');
    expect(codeOf('a&b&c', limits)).toBe('parameters-too-many');
  });
});
