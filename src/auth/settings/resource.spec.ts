import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { metadataUrlOf, resourceOf } from './resource.js';

describe('resourceOf', () => {
  it('R54: is what was configured, or else the URL of the hub as the request gives it', () => {
    const request = { protocol: 'http', host: 'hub.example:8080' };
    expect(resourceOf(request, undefined)).toBe('http://hub.example:8080/.well-known/mercure');
    expect(resourceOf(request, 'https://other.example/.well-known/mercure')).toBe(
      'https://other.example/.well-known/mercure',
    );
  });

  it('is a URL whatever the client calls the host', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('[', '%', 'a b', ':', 'x:99999')), (host) =>
        URL.canParse(resourceOf({ protocol: 'http', host }, undefined)),
      ),
    );
  });
});

describe('metadataUrlOf', () => {
  it("R84: puts the well-known path before the resource's own", () => {
    expect(metadataUrlOf('https://hub.example:8443/.well-known/mercure?x')).toBe(
      'https://hub.example:8443/.well-known/oauth-protected-resource/.well-known/mercure',
    );
  });

  it('can stand in a quoted string, whatever the host was called', () => {
    fc.assert(
      fc.property(fc.string(), (host) =>
        /^[\x21\x23-\x7e]*$/.test(metadataUrlOf(resourceOf({ protocol: 'http', host }, undefined))),
      ),
    );
  });
});
