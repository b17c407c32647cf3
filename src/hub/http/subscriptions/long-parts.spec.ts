import { describe, expect, it } from '@jest/globals';
import { longPartsOf } from './long-parts.js';

const HUB = '/.well-known/mercure/subscriptions';

describe('the parts that a wildcard stands for', () => {
  it.each([
    ['exact/urn%3Aa', 'exact/urn:a', ['exact', 'urn:a']],
    ['exact/a%2Fb?after=1/2', 'exact/a/b', ['exact', 'a/b']],
    ['exact/a%252Fb/urn:uuid:1', 'exact/a%2Fb/urn:uuid:1', ['exact', 'a%2Fb', 'urn:uuid:1']],
    ['exact/%C3%A9%2F/x', 'exact/é//x', ['exact', 'é/', 'x']],
    ['subscriptions/exact', 'subscriptions/exact', ['subscriptions', 'exact']],
    ['exact/a#b', 'exact/a', ['exact', 'a']],
  ])('are those of %s', (target, wildcard, parts) => {
    expect(longPartsOf(`${HUB}/${target}`, wildcard)).toEqual(parts);
  });

  it.each([
    ['a/b/c/d', 'a/b/c/d'],
    ['exact//a', 'exact//a'],
    ['', ''],
  ])('are none of "%s"', (target, wildcard) => {
    expect(longPartsOf(`${HUB}/${target}`, wildcard)).toBeUndefined();
  });
});
