import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { CompiledPatterns } from './compiled-patterns.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Compiles whatever it is asked for, and counts how often. */
class Compiler {
  count = 0;

  compile = (): { bytes: number } => {
    this.count += 1;
    return { bytes: 1_000 };
  };
}

describe('compiled patterns', () => {
  it('are compiled once for everybody', () => {
    const patterns = new CompiledPatterns();
    const compiler = new Compiler();
    const all = Array.from({ length: 10 }, () => patterns.of('a', compiler.compile));
    expect([new Set(all).size, compiler.count]).toEqual([1, 1]);
  });

  it('are kept while they fit, those that were used last', () => {
    const patterns = new CompiledPatterns(10_000);
    const compiler = new Compiler();
    for (let number = 0; number < 100; number += 1) {
      patterns.of(String(number), compiler.compile);
      patterns.of('often', compiler.compile);
    }
    expect(compiler.count).toBe(101);
  });

  it('are shared by those who use them, also where they no longer fit', () => {
    const patterns = new CompiledPatterns(10_000);
    const compiler = new Compiler();
    const used = patterns.of('used', compiler.compile);
    for (let number = 0; number < 100; number += 1) patterns.of(String(number), compiler.compile);
    expect(patterns.of('used', compiler.compile)).toBe(used);
  });

  it('go with their last user', async () => {
    const patterns = new CompiledPatterns(10_000);
    const compiler = new Compiler();
    for (let number = 0; number < 100; number += 1) patterns.of(String(number), compiler.compile);
    // What is no longer referred to is collected when the turn is over.
    for (let turn = 0; turn < 20 && patterns.count > 20; turn += 1) {
      await new Promise(setImmediate);
      collectGarbage();
    }
    expect(patterns.count).toBeLessThan(20);
  });
});
