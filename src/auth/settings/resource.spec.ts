import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { metadataUrlOf, resourceOf } from './resource.js';

const AS_ASKED = { resource: undefined, hubUrl: new URL('http://localhost/.well-known/mercure') };

describe('resourceOf', () => {
  it('R54: is what was configured, or else the URL of the hub as the request gives it', () => {
    const request = { protocol: 'http', host: 'hub.example:8080' };
    expect(resourceOf(request, AS_ASKED)).toBe('http://hub.example:8080/.well-known/mercure');
    const below = { resource: undefined, hubUrl: new URL('http://localhost/realtime/.well-known/mercure') };
    expect(resourceOf(request, below)).toBe('http://hub.example:8080/realtime/.well-known/mercure');
    const resource = 'https://other.example/.well-known/mercure';
    expect(resourceOf(request, { ...below, resource })).toBe(resource);
  });

  it('is a URL whatever the client calls the host', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('[', '%', 'a b', ':', 'x:99999')), (host) =>
        URL.canParse(resourceOf({ protocol: 'http', host }, AS_ASKED)),
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

  it('is below the path of another site where the hub is', () => {
    expect(metadataUrlOf('https://example.com/realtime/.well-known/mercure')).toBe(
      'https://example.com/realtime/.well-known/oauth-protected-resource/.well-known/mercure',
    );
  });

  it('can stand in a quoted string, whatever the host was called', () => {
    fc.assert(
      fc.property(fc.string(), (host) =>
        /^[\x21\x23-\x7e]*$/.test(metadataUrlOf(resourceOf({ protocol: 'http', host }, AS_ASKED))),
      ),
    );
  });
});
