import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { URLPattern } from 'urlpattern-polyfill/urlpattern';
import { HubError } from '../../../access/hub.errors.js';
import { parseTopicUrl } from './topic-url.js';
import { compileUrlPattern, matchesUrlPattern, UrlPattern } from './url-pattern.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

function matches(pattern: string, topic: string): boolean {
  return matchesUrlPattern(pattern, topic, HUB);
}

function prefixOf(pattern: string): string {
  return compileUrlPattern(pattern, HUB).literalPrefix;
}

function literally(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/g, String.raw`\$&`);
}

function refusal(pattern: string): HubError {
  try {
    compileUrlPattern(pattern, HUB);
  } catch (error) {
    if (error instanceof HubError) return error;
  }
  throw new Error(`${pattern} was not refused`);
}

describe('a URL pattern', () => {
  it.each([
    ['https://example.com/users/:id', 'https://example.com/users/1', true],
    ['https://example.com/users/:id', 'https://example.com/users/1?q=1#top', true],
    ['https://example.com/users/:id', 'https://example.com/users/1/books', false],
    ['https://example.com/users/:id', 'https://example.com/users/', false],
    ['https://example.com/users/*', 'https://example.com/users/1/books', true],
    ['https://example.com/*/books/*', 'https://example.com/a/b/books/', true],
    [String.raw`https://example.com/users/:id(\d+)`, 'https://example.com/users/12', true],
    [String.raw`https://example.com/users/:id(\d+)`, 'https://example.com/users/x', false],
    ['https://example.com/:a?/end', 'https://example.com/end', true],
    ['https://example.com/:a+', 'https://example.com/x/y/z', true],
    ['https://example.com/a{/v:n}*/end', 'https://example.com/a/v1/v2/end', true],
    ['http{s}?://*.example.com/x', 'http://api.example.com/x', true],
    ['https://example.com:8080/x', 'https://example.com/x', false],
    ['https://example.com/x?q=:v', 'https://example.com/x?q=1', true],
    [String.raw`urn\:uuid\:*`, 'urn:uuid:1-2', true],
    [String.raw`urn\:uuid\:*`, 'urn:isbn:1-2', false],
    ['https://example.com/café', 'https://example.com/caf%C3%A9', true],
  ])('%s against %s is %s', (pattern, topic, expected) => {
    expect(matches(pattern, topic)).toBe(expected);
  });

  it('R25: resolves relative patterns and relative topics against the hub', () => {
    expect(matches('/books/:id', '/books/1')).toBe(true);
    expect(matches('/books/:id', 'https://hub.example/books/1')).toBe(true);
    expect(matches('https://hub.example/books/:id', '/books/1')).toBe(true);
    expect(matches('/books/:id', 'https://example.com/books/1')).toBe(false);
  });

  it('R25: is case-sensitive, except where URLs are not', () => {
    expect(matches('https://EXAMPLE.com/books/:id', 'HTTPS://example.COM/books/1')).toBe(true);
    expect(matches('https://example.com/books/:id', 'https://example.com/Books/1')).toBe(false);
  });

  it('R26: never matches a topic that is no URL', () => {
    expect(matches('*://*/*', 'https://')).toBe(false);
    expect(matches('*', 'https://a b/')).toBe(false);
  });

  it('agrees with the URLPattern implementation, and starts with its literal prefix', () => {
    let hits = 0;
    fc.assert(
      fc.property(patterns, fc.array(topics, { minLength: 5, maxLength: 10 }), (pattern, several) => {
        for (const topic of several) {
          const expected = oracle(pattern).test(topic, HUB.href);
          expect([pattern, topic, matches(pattern, topic)]).toEqual([pattern, topic, expected]);
          if (!expected) continue;
          hits += 1;
          expect(parseTopicUrl(topic, HUB)?.address).toMatch(new RegExp(`^${literally(prefixOf(pattern))}`));
        }
      }),
      { numRuns: 800 },
    );
    // With too few matches, the comparison would prove nothing.
    expect(hits).toBeGreaterThan(50);
  });

  it('does not take the start of a path with an empty segment for a host, as the implementation does', () => {
    expect(matches('https://a.test/b', 'https://a.test//x/b')).toBe(false);
    expect(matches('https://a.test//x/b', 'https://a.test//x/b')).toBe(true);
  });

  it.each([
    ['https://example.com/users/:id/books', 'https://example.com/users/'],
    ['https://example.com/users/12', 'https://example.com/users/12'],
    ['https://example.com:8080/users{/:id}?', 'https://example.com:8080/users'],
    ['/books/*', 'https://hub.example/books/'],
    ['https://*.example.com/x', 'https://'],
    ['https://example.com:*/x', 'https://example.com'],
    ['http{s}?://example.com/x', 'http'],
    ['*://example.com/x', ''],
  ])('%s starts with "%s"', (pattern, prefix) => {
    expect(prefixOf(pattern)).toBe(prefix);
  });

  it('is compiled once', () => {
    expect(compileUrlPattern('https://example.com/once/:id', HUB)).toBe(
      compileUrlPattern('https://example.com/once/:id', HUB),
    );
  });
});

describe('R13: a URL pattern is refused', () => {
  it.each([
    'https://example.com/{',
    'https://example.com/(',
    'https://example.com/:a/:a',
    'https://example.com/(a',
    '{',
  ])('when malformed: %s', (pattern) => {
    expect(refusal(pattern)).toMatchObject({ code: 'matcher-invalid', message: 'A URL pattern is malformed.' });
  });

  it.each(['(?=a)a', '(?!a)b', 'x(?<=x)a', String.raw`(?:a)\1`])('with what has no linear time: %s', (group) => {
    // `URLPattern` itself refuses some of these as malformed.
    expect(refusal(`https://example.com/:x(${group})`).code).toBe('matcher-invalid');
  });

  it('with a message that names look-around', () => {
    expect(refusal('https://example.com/:x((?:a)(?=b)b)').message).toContain('look-around');
  });

  it.each(['(?:a{1000}){1000}', '(?:a{1000}b{1000})', '(?:.*a.{300}b)'])('when too complex: %s', (group) => {
    expect(refusal(`https://example.com/:x(${group})`).message).toContain('too complex');
  });

  it('when it has hundreds of wildcards', () => {
    expect(refusal(`https://example.com/${'*a'.repeat(300)}`).message).toContain('too complex');
  });

  it.each([
    'https://256.256.256.256/*',
    'https://*.300.1.1/*',
    'https://example.com/{:a}b/../c(.*)',
    'foo://host/*//secret/*',
    'foo://host//secret/*',
    String.raw`urn\:{a\?b}*`,
    String.raw`urn\:a *`,
  ])('when it would be read as something else than was written: %s', (pattern) => {
    expect(refusal(pattern).message).toContain('ambiguous');
  });

  it('never with the pattern in the message', () => {
    expect(refusal('https://secret.example/{').message).not.toContain('secret');
  });
});

describe('R27: the time that a URL pattern takes', () => {
  it.each([
    ['https://example.com/x/:y((?:a+)+)', 'a', '!'],
    ['https://example.com/x/:y((?:a|aa)+)', 'a', '!'],
    [`https://example.com/x/${'*a'.repeat(12)}b`, 'a', '!'],
    ['https://example.com/x/:p-:q-:r-:s-end', 'a-', '!'],
    ['https://example.com/x{/:y}*/z', 'a/', '!'],
    ['https://example.com/x/*a', 'a', '!'],
    [String.raw`https://example.com/x/:y([^\/]*a[^\/]{20})`, 'ab', '!'],
  ])('for %s grows with the length of the topic, no faster', (pattern, unit, end) => {
    const topic = (repeats: number): string => `https://example.com/x/${unit.repeat(repeats)}${end}`;
    // For four times the length, quadratic time would be 16 times as long, and exponential time would never end.
    expect(fastest(pattern, topic(3200)) / fastest(pattern, topic(800))).toBeLessThan(10);
  });

  it.each(['(h?){100}(t?){100}(p?){100}x', '((?:h?t?t?p?s?)*)x', '(?:t?){1000}'])(
    'is not spent on constructing a pattern with the protocol %s',
    (protocol) => {
      expect(refusal(`${protocol}://example.com/`).code).toBe('matcher-invalid');
    },
  );

  it('is not spent on a protocol of many wildcards', () => {
    expect(refusal(`${'*'.repeat(4000)}://example.com/`).message).toContain('protocol');
    expect(matches('(https?)://example.com/', 'http://example.com/')).toBe(true);
    expect(matches(':scheme://example.com/', 'wss://example.com/')).toBe(true);
  });
});

/** The fastest of some runs, because other work on the machine disturbs it least. RE2's cache is empty in each run. */
function fastest(pattern: string, topic: string): number {
  const url = parseTopicUrl(topic, HUB);
  if (url === undefined) throw new Error('not a URL');
  const times = Array.from({ length: 15 }, () => {
    const fresh = Array.from({ length: 10 }, () => new UrlPattern(pattern, HUB));
    const start = performance.now();
    for (const each of fresh) each.matches(url);
    return performance.now() - start;
  });
  return Math.min(...times);
}

/** `URLPattern` itself. An absolute pattern gets no base: it has its own path, even one that starts with no slash. */
function oracle(pattern: string): URLPattern {
  return pattern.includes('://') ? new URLPattern(pattern) : new URLPattern(pattern, HUB.href);
}

function words(text: string): fc.Arbitrary<string> {
  return fc.constantFrom(...text.split(/\s+/));
}

const schemes = fc.constantFrom('https', 'https', 'https', 'http{s}?', ':scheme', '*', '(https|http)', 'foo');
const hosts = fc.constantFrom(
  'a.test',
  'a.test',
  '*.test',
  ':sub.test',
  '{:sub.}?test',
  ':x.:y',
  '*',
  'A.test',
  'x.a.test',
);
const ports = fc.constantFrom('', '', '', ':8080', ':*', ':80{80}?');
const segments = words(
  String.raw`/a /b /:N /* /:N? /:N* /:N+ {/a}? {/b}* /:N.json /a:N /{:N-}?a /{a:N}+ /:Na /é /*/ /a* /{*.x}? / * :N
    /(a|b) /:N(\d+) /:N(a|b)* /(a.*)? /x(.*) /:N(\w+)-:N /:N((?:a+)+) /(?:a) /%61 /a%20b /:N{a}? /{:N}b /x\:y /\*`,
);
const searches = fc.constantFrom('', '', '?q=*', '?*', '?q=:v', '?q=1', String.raw`\?q=(\d+)`);
const hashes = fc.constantFrom('', '', '#top', '#*', '#:h');

const patterns = fc
  .tuple(
    fc.option(fc.tuple(schemes, hosts, ports), { freq: 4 }),
    fc.array(segments, { maxLength: 3 }),
    searches,
    hashes,
  )
  .map(([origin, path, search, hash]) => {
    let names = 0;
    const [scheme, host, port] = origin ?? [];
    const start = scheme === undefined ? '' : `${scheme}://${host}${port}`;
    // The name of a group may occur only once in a pattern.
    return `${start}${path.join('')}${search}${hash}`.replaceAll('N', () => `n${(names += 1)}`);
  })
  .filter((pattern) => {
    // `URLPattern` loses an empty segment of such a path, so the hub refuses these patterns.
    if (/^foo:\/\/.*\/\//.test(pattern.replaceAll(/[{}]/g, ''))) return false;
    try {
      return Boolean(oracle(pattern));
    } catch {
      return false;
    }
  });

const topics = fc
  .tuple(
    fc.constantFrom(
      'https://a.test',
      'https://a.test',
      'http://x.test',
      'https://x.a.test:8080',
      'foo://a.test',
      '',
      'https://u:p@a.test',
    ),
    fc.array(words('/a /b /a.json /12 /aaa /é /a-a /a%20b / /ab-cd /x /x.x /%61 /bba /:'), { maxLength: 3 }),
    fc.constantFrom('', '', '', '?q=1', '?q=x&y'),
    fc.constantFrom('', '', '', '#top', '#x'),
  )
  .map(([origin, path, search, hash]) => `${origin}${path.join('')}${search}${hash}`)
  // `URLPattern` takes the first segment of a path that begins with `//` for a host.
  .filter((topic) => !/^(?:[a-z]+:\/\/[^/]*)?\/\//.test(topic));
