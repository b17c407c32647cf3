import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { traceParentOf } from './traceparent.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it('is taken as it is in the current version', () => {
    const text = `00-${TRACE}-${SPAN}-01`;
    expect(traceParentOf(text)).toEqual({ traceId: TRACE, text });
  });

  it.each([`01-${TRACE}-${SPAN}-01`, `fe-${TRACE}-${SPAN}-fd-what-comes-later`, `cc-${TRACE}-${SPAN}-01-`])(
    'of a later version is given on in the current one: %s',
    (header) => {
      expect(traceParentOf(header)).toEqual({ traceId: TRACE, text: `00-${TRACE}-${SPAN}-01` });
    },
  );

  it.each([
    undefined,
    ['00', TRACE],
    '',
    '00',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01\n`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01more`,
    `01-${'0'.repeat(32)}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(600)}`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ])('that is not valid counts as none: %j', (header) => {
    expect(traceParentOf(header)).toBeUndefined();
  });

  it('is never given on in a form that is not valid', () => {
    const hex = (length: number): fc.Arbitrary<string> =>
      fc.string({
        unit: fc.constantFrom(...Array.from({ length: 16 }, (_, digit) => digit.toString(16))),
        minLength: length,
        maxLength: length,
      });
    const headers = fc
      .tuple(fc.oneof(hex(2), fc.constant('00')), hex(32), hex(16), hex(2), fc.constantFrom('', '-', '-x', 'x'))
      .map(([version, trace, span, flags, more]) => `${version}-${trace}-${span}-${flags}${more}`);
    fc.assert(
      fc.property(headers, (header) => {
        const text = traceParentOf(header)?.text;
        return text === undefined || traceParentOf(text)?.text === text;
      }),
    );
  });
});
