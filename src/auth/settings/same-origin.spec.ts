import { describe, expect, it } from '@jest/globals';
import { Origins } from '../../shared/http/origins.js';
import { checkOrigin } from './same-origin.js';

const OWN = 'https://hub.example';

function check(headers: Record<string, string>, allowed: string[] = []): () => void {
  return () => checkOrigin({ headers }, OWN, new Origins(allowed));
}

describe('R89: checkOrigin', () => {
  it.each<[string, Record<string, string>]>([
    ["the hub's own origin", { origin: OWN }],
    ['its own page as the referer, where there is no origin', { referer: 'https://hub.example/page?x#y' }],
    ['an origin that is allowed', { origin: 'https://app.example:8443' }],
    ['a referer of an origin that is allowed', { referer: 'https://app.example:8443/' }],
  ])('lets %s pass', (_, headers) => {
    expect(check(headers, ['https://app.example:8443'])).not.toThrow();
  });

  it.each([
    ['an application', { origin: 'capacitor://localhost' }],
    ['a name below a domain', { origin: 'https://a.b.app.example' }],
    ['a referer of such a name', { referer: 'https://a.app.example/page' }],
  ])('lets %s pass that is listed as such', (_, headers: Record<string, string>) => {
    expect(check(headers, ['capacitor://localhost', 'https://*.app.example'])).not.toThrow();
    expect(check(headers, ['ionic://localhost', 'https://*.b.example'])).toThrow(
      expect.objectContaining({ code: 'origin-refused' }),
    );
  });

  it.each<[string, Record<string, string>]>([
    ['nothing that says where it comes from', {}],
    ['another site', { origin: 'https://evil.example' }],
    ['another site, whatever the referer is', { origin: 'https://evil.example', referer: OWN }],
    ['another port', { origin: 'https://hub.example:8443' }],
    ['another scheme', { origin: 'http://hub.example' }],
    ['an origin that begins like ours', { origin: 'https://hub.example.evil.example' }],
    ['a referer that begins like ours', { referer: 'https://hub.example@evil.example/' }],
    ['an opaque origin', { origin: 'null' }],
    ['an empty origin, whatever the referer is', { origin: '', referer: OWN }],
    ['a referer that is no URL', { referer: 'hub.example' }],
  ])('refuses %s', (_, headers) => {
    expect(check(headers)).toThrow(expect.objectContaining({ code: 'origin-refused' }));
  });
});
