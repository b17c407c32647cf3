import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Line, LineSplitter, TOO_LONG } from './line-splitter.js';

const LIMIT = 8;

/** The lines of these chunks, with `-` for one that is too long. */
function linesOf(chunks: readonly Buffer[], splitter = new LineSplitter(LIMIT)): string[] {
  const lines = chunks.flatMap((chunk) => Array.from(splitter.split(chunk), textOf));
  const last = splitter.end();
  return last === undefined ? lines : [...lines, textOf(last)];
}

function textOf(line: Line): string {
  if (line === TOO_LONG) return '-';
  return typeof line === 'string' ? line : line.toString('latin1');
}

describe('LineSplitter', () => {
  it('skips empty lines, ends lines with LF or CRLF, and needs no end of the last one', () => {
    expect(linesOf([])).toEqual([]);
    expect(linesOf([Buffer.from('\n\r\n\n')])).toEqual([]);
    expect(linesOf([Buffer.from('a\r\n\nb\n\r\nc\rd')])).toEqual(['a', 'b', 'c\rd']);
  });

  it('throws a line away that is too long, as it comes, and reads on', () => {
    const splitter = new LineSplitter(LIMIT);
    for (let count = 0; count < 1_000; count += 1) {
      expect(Array.from(splitter.split(Buffer.alloc(100, 'x')))).toEqual([]);
      expect(splitter.held).toBeLessThanOrEqual(LIMIT);
    }
    expect(linesOf([Buffer.from('\n12345678\r\n123456789\nb')], splitter)).toEqual(['-', '12345678', '-', 'b']);
  });

  it('gives the same lines wherever the chunks are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '\xe9', '\r', '\n', '\r\n', 'ccccccc'), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.array(fc.nat({ max: 80 })), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''), 'latin1');
        const expected = parts
          .join('')
          .split('\n')
          .map((line) => line.replace(/\r$/, ''))
          .filter((line) => line !== '')
          .map((line) => (line.length > LIMIT ? '-' : line));
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(linesOf(chunks)).toEqual(expected);
      }),
    );
  });
});
