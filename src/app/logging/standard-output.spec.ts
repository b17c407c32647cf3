import { describe, expect, it } from '@jest/globals';
import type { writeSync } from 'node:fs';
import { StandardOutput } from './standard-output.js';

/** A pipe that takes so many bytes at a time, or fails. */
function outputTo(takes: readonly (number | string)[]): {
  output: StandardOutput;
  text: () => string;
  tried: () => number;
} {
  let text = '';
  let tried = 0;
  const write = (_: number, bytes: Buffer): number => {
    const next = takes[tried] ?? bytes.length;
    tried += 1;
    if (typeof next === 'string') throw Object.assign(new Error(next), { code: next });
    text += bytes.subarray(0, next).toString();
    return Math.min(next, bytes.length);
  };
  return { output: new StandardOutput(write as typeof writeSync), text: () => text, tried: () => tried };
}

describe('StandardOutput', () => {
  it('writes whole lines to a pipe that takes little at a time, or nothing for a while', () => {
    const { output, text } = outputTo([3, 'EAGAIN', 'EAGAIN', 1]);
    output.write('first é\n');
    output.write('second\n');
    expect(text()).toBe('first é\nsecond\n');
  });

  it('gives up once its reader has left', () => {
    const { output, text, tried } = outputTo([100, 'EPIPE']);
    for (const line of ['first\n', 'second\n', 'third\n']) output.write(line);
    expect([text(), tried()]).toEqual(['first\n', 2]);
  });
});
