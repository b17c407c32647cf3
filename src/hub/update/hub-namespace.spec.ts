import { describe, expect, it } from '@jest/globals';
import { isInHubNamespace } from './hub-namespace.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

describe('R30: the namespace of the hub', () => {
  it.each([
    'https://hub.example/.well-known/mercure',
    'https://hub.example/.well-known/mercure/subscriptions',
    'https://elsewhere.example/.well-known/mercure/x',
    'http://hub.example:8080/.well-known/mercure?q#f',
    'foo://host/.well-known/mercure',
    'foo:/.well-known/mercure/x',
    '/.well-known/mercure',
    '//other.example/.well-known/mercure',
    'mercure',
    'mercure/subscriptions',
    '',
    '?q',
    '#f',
    './mercure',
    '../.well-known/mercure',
    '/a/%2e%2e/.well-known/mercure',
    '/.well-known/./mercure/',
    '/%2Ewell-known/%6dercure',
    '/.well%2Dknown/mercure',
    String.raw`\.well-known\mercure`,
  ])('has "%s"', (topic) => {
    expect(isInHubNamespace(topic, HUB)).toBe(true);
  });

  it.each([
    'https://hub.example/.well-known/mercury',
    'https://hub.example/.well-known/mercure-x',
    'https://hub.example/.well-known/Mercure',
    'https://hub.example/.well-known/%256Dercure',
    'https://hub.example/.well-known%2Fmercure',
    'https://hub.example/?/.well-known/mercure',
    'urn:.well-known/mercure',
    'https://',
    'chat',
  ])('does not have "%s"', (topic) => {
    expect(isInHubNamespace(topic, HUB)).toBe(false);
  });

  it('takes each octet that is unreserved for itself, and no other one (RFC 3986, section 2.3)', () => {
    const octets = Array.from({ length: 0x5e }, (_, index) => 0x21 + index);
    // These are no part of a path, or not as they are.
    for (const octet of octets.filter((one) => !'"#%/<>?\\^`{|}'.includes(String.fromCharCode(one)))) {
      const character = String.fromCharCode(octet);
      const hub = new URL(`https://hub.example/a${character}b`);
      const codes = [octet.toString(16), octet.toString(16).toUpperCase()];
      const found = codes.map((code) => isInHubNamespace(`/a%${code}b`, hub));
      expect([character, ...found]).toEqual([character, ...codes.map(() => /[A-Za-z0-9\-._~]/.test(character))]);
    }
  });

  it('follows the path that the hub really has (R81)', () => {
    const hub = new URL('https://hub.example/push%2Dhub');
    expect(isInHubNamespace('/push-hub/subscriptions', hub)).toBe(true);
    expect(isInHubNamespace('/.well-known/mercure', hub)).toBe(false);
  });
});
