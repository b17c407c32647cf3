import { describe, expect, it } from '@jest/globals';
import { LEGACY_TOKENS } from '../../hub/legacy/legacy-tokens.js';
import { credentialsOf, type Credentials, type CredentialRequest } from './credentials.js';

const OPTIONS = { cookieName: '__Secure-token' };

function read(
  headers: Record<string, string>,
  options: { legacy?: boolean; url?: string; rawHeaders?: string[] } = {},
) {
  const { legacy = false, url = '/.well-known/mercure', rawHeaders = Object.entries(headers).flat() } = options;
  const request: CredentialRequest = { method: 'GET', url, headers, raw: { rawHeaders } };
  return credentialsOf(request, { ...OPTIONS, others: legacy ? LEGACY_TOKENS : undefined });
}

describe('credentialsOf', () => {
  it('R46: finds nothing where there is nothing', () => {
    expect(read({})).toBeUndefined();
    expect(read({ cookie: 'other=a.b.c' })).toBeUndefined();
    expect(read({ cookie: '__Secure-token=' })).toBeUndefined();
  });

  it.each<[string, Record<string, string>, Credentials]>([
    ['R42: the header', { authorization: 'Bearer a.b.c' }, { token: 'a.b.c', carrier: 'header' }],
    ['R43: the scheme in any case', { authorization: 'bEARER   a-_.b.c ' }, { token: 'a-_.b.c', carrier: 'header' }],
    ['R45: the cookie', { cookie: 'x=1; __Secure-token=a.b.c; y=2' }, { token: 'a.b.c', carrier: 'cookie' }],
    [
      'R43: the header although there is a cookie',
      { authorization: 'Bearer a.b.c', cookie: '__Secure-token=not a token' },
      { token: 'a.b.c', carrier: 'header' },
    ],
  ])('takes %s', (_, headers, expected) => {
    expect(read(headers)).toEqual(expected);
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer a.b',
    'Bearer a.b.c.d',

    'Bearer a.b.c d',
    'Bearer "a.b.c"',
    'Basic a.b.c, Bearer a.b.c',
    'Basic a b',
    'Basicx a.b.c',
    'NTLM a.b.c',
    'DPoP a.b.c',
    'a.b.c',
    'Bearer a.b.c, Bearer a.b.c',
    'Bearer\ta.b.c',
  ])('R49: refuses the header "%s", and does not look at the cookie instead', (authorization) => {
    expect(() => read({ authorization, cookie: '__Secure-token=a.b.c' })).toThrow(
      expect.objectContaining({ code: 'token-malformed' }),
    );
  });

  it.each(['Basic eDp5', 'basic eDp5==', 'BASIC', 'Negotiate YII+/w==', 'Digest username="x", realm="a, b"'])(
    'R43: takes the header "%s" for none, because it carries no token',
    (authorization) => {
      expect(read({ authorization })).toBeUndefined();
      const credentials = { token: 'a.b.c', carrier: 'cookie' };
      expect(read({ authorization, cookie: '__Secure-token=a.b.c' })).toEqual(credentials);
    },
  );

  it('R45: takes the cookie in quotation marks, which are not part of the token', () => {
    expect(read({ cookie: 'x=1; __Secure-token="a.b.c"' })).toEqual({ token: 'a.b.c', carrier: 'cookie' });
    expect(read({ cookie: '__Secure-token=""' })).toBeUndefined();
    for (const value of ['"a.b.c', 'a.b.c"', '""a.b.c""', '"a.b.c" d']) {
      expect(() => read({ cookie: `__Secure-token=${value}` })).toThrow(
        expect.objectContaining({ code: 'token-invalid' }),
      );
    }
  });

  it('R49: refuses two headers, of which Node keeps the first without a word', () => {
    const rawHeaders = ['Host', 'x', 'Authorization', 'Bearer a.b.c', 'AUTHORIZATION', 'Bearer d.e.f'];
    expect(() => read({ authorization: 'Bearer a.b.c' }, { rawHeaders })).toThrow(
      expect.objectContaining({ code: 'token-malformed' }),
    );
    // A header with the value `authorization` is not an Authorization header.
    expect(
      read({ authorization: 'Bearer a.b.c' }, { rawHeaders: ['authorization', 'x', 'x', 'authorization'] }),
    ).toBeDefined();
  });

  it('R47: takes what a cookie holds that is no token for an invalid one', () => {
    expect(() => read({ cookie: '__Secure-token=abc' })).toThrow(expect.objectContaining({ code: 'token-invalid' }));
  });

  it('refuses a cookie that came twice, because another host of the domain may have set the first', () => {
    for (const cookie of ['__Secure-token=a.b.c; x=1; __Secure-token=d.e.f', '__Secure-token=;__Secure-token=a.b.c']) {
      expect(() => read({ cookie })).toThrow(expect.objectContaining({ code: 'token-malformed' }));
    }
    expect(read({ cookie: 'my__Secure-token=d.e.f; __Secure-token=a.b.c; x=__Secure-token' })).toBeDefined();
  });

  it('never looks at the query or the older cookie, unless it speaks the 0.x dialect', () => {
    const url = '/.well-known/mercure?authorization=a.b.c';
    const cookie = 'mercureAuthorization=d.e.f';
    expect(read({ cookie }, { url })).toBeUndefined();
    expect(read({ cookie }, { url, legacy: true })).toEqual({ token: 'a.b.c', carrier: 'query' });
    expect(read({ cookie }, { legacy: true })).toEqual({ token: 'd.e.f', carrier: 'cookie' });
    expect(read({ cookie: `${cookie}; __Secure-token=g.h.i` }, { legacy: true })?.token).toBe('g.h.i');
    expect(read({ authorization: 'Bearer x.y.z', cookie }, { url, legacy: true })?.token).toBe('x.y.z');
    expect(() => read({}, { url: '/?authorization=abc', legacy: true })).toThrow(
      expect.objectContaining({ code: 'token-malformed' }),
    );
  });

  it('takes time that grows with the header and no faster', () => {
    const hostile = ['Bearer ', 'a'.repeat(8_000), '.', 'a'.repeat(8_000), ' '.repeat(50_000), '!'].join('');
    const started = performance.now();
    expect(() => read({ authorization: hostile })).toThrow('must be');
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
