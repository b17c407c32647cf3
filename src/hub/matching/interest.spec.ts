import { describe, expect, it } from '@jest/globals';
import { Interest } from './interest.js';
import type { Matcher } from './matcher.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const BELOW = '/.well-known/mercure/subscriptions/';

describe('Interest', () => {
  it.each<[boolean, Matcher['type'], string]>([
    [true, 'exact', '*'],
    [true, 'exact', `${BELOW}exact/a/b`],
    [false, 'exact', 'https://hub.example/.well-known/mercure/subscriptions/exact/a/b'],
    [false, 'exact', '/.well-known/mercure'],
    [true, 'urlpattern', `${BELOW}:type/:pattern/:subscriber`],
    [true, 'urlpattern', '/:anything(.*)'],
    [true, 'urlpattern', 'https://hub.example/*'],
    [false, 'urlpattern', 'https://shop.example/*'],
    [false, 'urlpattern', '/books/:id'],
    [true, 'uritemplate', `${BELOW}{pattern}/{subscriber}`],
    [true, 'uritemplate', '{+any}'],
    [false, 'uritemplate', 'https://shop.example/{id}'],
  ])('says %s for whether something below a path may be matched by the %s "%s"', (expected, type, pattern) => {
    const others: Matcher[] = [{ type: 'exact', pattern: 'urn:other' }];
    expect(new Interest([...others, { type, pattern }], HUB_URL).mayMatchBelow(BELOW)).toBe(expected);
    expect(new Interest(others, HUB_URL).mayMatchBelow(BELOW)).toBe(false);
  });
});
