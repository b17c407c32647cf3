import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Origins } from './origins.js';

describe('a list of origins', () => {
  const origins = new Origins(['https://app.example', 'capacitor://localhost', 'https://*.example.com']);

  it.each([
    'https://app.example',
    'capacitor://localhost',
    'https://a.example.com',
    'https://a.b-c.example.com',
    'https://xn--bcher-kva.example.com',
    'https://a_b.example.com',
  ])('has %s', (origin) => {
    expect(origins.has(origin)).toBe(true);
  });

  it.each([
    'https://example.com',
    'https://.example.com',
    'https://a..example.com',
    'https://evil-example.com',
    'https://evilexample.com',
    'https://x.example.com.evil.org',
    'https://evil.org/.example.com',
    'https://evil.org?.example.com',
    'https://evil.org#.example.com',
    'https://evil.org:1.example.com',
    'https://u@x.example.com',
    'https://x.example.com:8443',
    'http://x.example.com',
    'https://x.exampleXcom',
    'https://*.example.com',
    'https://x.example.com\n',
    'null',
    '',
    'app.example',
    'https://app.example/',
    'capacitor://localhost:1',
  ])('does not have %j', (origin) => {
    expect(origins.has(origin)).toBe(false);
  });

  it('takes a pattern for text, and never for an expression', () => {
    expect(new Origins(['https://*.a.b']).has('https://x.aab')).toBe(false);
    expect(new Origins(['https://*.(x+)+.b']).has('https://y.xx.b')).toBe(false);
  });

  it('has exactly the origins whose host lies below the domain, whatever is asked', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/);
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    const glue = fc.constantFrom('.', '-', '', '@', '/', ':', '#', '?', '..', '.example.com.');
    const asked = fc.oneof(
      fc.tuple(fc.constantFrom('https', 'http'), host, glue, fc.constantFrom('example.com', 'example.org')),
      fc.tuple(fc.constant('https'), host, glue, host),
    );
    fc.assert(
      fc.property(asked, fc.constantFrom('', ':8443', ':443'), ([scheme, first, between, last], port) => {
        const origin = `${scheme}://${first}${between}${last}${port}`;
        const isOrigin = URL.canParse(origin) && new URL(origin).origin === origin;
        const { protocol, hostname, port: given } = isOrigin ? new URL(origin) : new URL('https://none.invalid');
        const isBelow = protocol === 'https:' && given === '' && /[^.]\.example\.com$/.test(hostname);
        // No host has an empty label, although the URL parser takes one.
        fc.pre(!hostname.includes('..'));
        expect([origin, origins.has(origin)]).toEqual([origin, isBelow]);
      }),
      { numRuns: 5_000 },
    );
  });
});
