import { describe, expect, it } from '@jest/globals';
import { bytesInUse } from '../../../test/support/memory.js';
import { CompiledPatterns } from './compiled-patterns.js';
import { UriTemplate } from './uri-template.js';
import { UrlPattern } from './url-pattern/url-pattern.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

/** Patterns that take the most for what they count, each different from all others. */
const SHAPES: readonly (readonly [string, (number: number) => { readonly bytes: number }])[] = [
  ['cheap groups', (number) => new UrlPattern(`/:id(\\d+)/${number}`, HUB_URL)],
  ['UUIDs', (number) => new UrlPattern(`/:id([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4})/${number}`, HUB_URL)],
  ['as costly a group as may be', (number) => new UrlPattern(`/(.*a.{60}(?:z${number})?b)`, HUB_URL)],
  ['a thousand pieces', (number) => new UrlPattern(`/${'{a}'.repeat(1_000)}${number}/:x(\\d+)`, HUB_URL)],
  ['text outside of ASCII', (number) => new UrlPattern(`/${'é'.repeat(600)}${number}*x`, HUB_URL)],
  ['a long path', (number) => new UrlPattern(`/${'a/'.repeat(1_500)}${number}/*`, HUB_URL)],
  ['templates', (number) => new UriTemplate(`/${'é'.repeat(500)}{a}{b}/${number}`)],
];

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
    for (let turn = 0; turn < 20 && patterns.count > 20; turn += 1) await bytesInUse();
    expect(patterns.count).toBeLessThan(20);
  });
});

describe.each(SHAPES)('patterns of %s', (_, compile) => {
  it('take no more memory than they may, all together', async () => {
    const limit = 4 * 1024 ** 2;
    const patterns = new CompiledPatterns<{ readonly bytes: number }>(limit);
    const before = await bytesInUse();
    let bytes = 0;
    // More than is kept by half, so that the first ones have to go.
    for (let number = 0; bytes < 1.5 * limit; number += 1) {
      bytes += patterns.of(String(number), () => compile(number)).bytes;
    }
    expect((await bytesInUse()) - before).toBeLessThan(1.25 * limit);
    expect(patterns.of('1', () => compile(1)).bytes).toBeLessThan(limit);
  });
});
