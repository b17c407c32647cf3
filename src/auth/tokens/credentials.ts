import { parseCookie } from 'cookie';
import { HubError } from '../../access/hub.errors.js';
import { countOf } from '../../shared/http/raw-headers.js';

/** The parts of a request that may hold credentials. */
export interface CredentialRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly raw: { readonly rawHeaders: readonly string[] };
}

export interface Credentials {
  readonly token: string;
  readonly carrier: 'header' | 'query' | 'cookie';
}

export interface CredentialOptions {
  readonly cookieName: string;
  /** Where else a token may be, besides the header and this cookie: a parameter of the query, and another cookie. */
  readonly others?: { readonly parameter: string; readonly cookie: string } | undefined;
}

// A token without a signature (`"alg": "none"`) is well-formed (RFC 7515, A.5), and for the verifier to refuse (R52).
const BEARER = /^bearer +([\w-]+\.[\w-]+\.[\w-]*) *$/i;
const COMPACT_JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** What a proxy in front asks for and lets through. Of these schemes none carries a token of the hub. */
const OF_OTHERS = /^(?:(?:basic|negotiate)(?: +[\w.~+/-]+=*)?|digest(?: .*)?) *$/i;

/**
 * The token that a request brings, if any (R42–R45). The header comes first: with one, a cookie is ignored (R43), unless
 * its scheme is another server's. Where the query may hold a token, the query comes between the two.
 *
 * @throws {HubError} `token-malformed` for two headers or cookies, or a header or parameter that can't be a token;
 * `token-invalid` for such a cookie
 */
export function credentialsOf(request: CredentialRequest, options: CredentialOptions): Credentials | undefined {
  const { authorization, cookie } = request.headers;
  const inHeader = authorization === undefined ? undefined : bearerToken(request, authorization);
  if (inHeader !== undefined) return { token: inHeader, carrier: 'header' };
  const inQuery = options.others && queryToken(request.url, options.others.parameter);
  if (inQuery !== undefined) return { token: inQuery, carrier: 'query' };
  const inCookie = typeof cookie === 'string' ? cookieToken(cookie, options) : undefined;
  return inCookie === undefined ? undefined : { token: inCookie, carrier: 'cookie' };
}

/** Undefined where the header is for another server on the way. */
function bearerToken({ raw }: CredentialRequest, authorization: string | readonly string[]): string | undefined {
  // Of several Authorization headers, Node keeps the first and drops the others silently.
  if (countOf('authorization', raw.rawHeaders) > 1) {
    throw new HubError('token-malformed', 'There must be one Authorization header at most.');
  }
  const given = typeof authorization === 'string' ? authorization : '';
  const token = BEARER.exec(given)?.[1];
  if (token) return token;
  if (OF_OTHERS.test(given)) return undefined;
  throw new HubError('token-malformed', 'The Authorization header must be "Bearer" and a compact JWT.');
}

function queryToken(url: string, parameter: string): string | undefined {
  const query = url.indexOf('?');
  const given = query === -1 ? null : new URLSearchParams(url.slice(query)).get(parameter);
  return given === null ? undefined : compact(given, `The "${parameter}" parameter`);
}

function cookieToken(header: string, { cookieName, others }: CredentialOptions): string | undefined {
  const cookies = parseCookie(header);
  const name = cookieName in cookies ? cookieName : others?.cookie;
  if (name === undefined || cookies[name] === undefined) return undefined;
  checkOnce(header, name);
  // The value may stand in quotation marks, which are not part of the token (RFC 6265, 4.1.1).
  const given = cookies[name].replace(/^"(.*)"$/, '$1');
  if (given === '') return undefined;
  // A request with such a cookie is well-formed, and only its token is not: that makes the token invalid (R47).
  if (!COMPACT_JWT.test(given)) throw new HubError('token-invalid', 'The cookie does not hold a compact JWT.');
  return given;
}

/** Another host of the same domain can set a cookie that comes before the real one (RFC 6265, 8.6). */
function checkOnce(header: string, name: string): void {
  const names = header.split(';').map((pair) => pair.split('=', 1)[0]?.trim());
  if (names.indexOf(name) === names.lastIndexOf(name)) return;
  throw new HubError('token-malformed', 'The cookie with the token came twice: clear the cookies of this site.');
}

function compact(given: string, what: string): string {
  if (COMPACT_JWT.test(given)) return given;
  throw new HubError('token-malformed', `${what} must be a compact JWT.`);
}
