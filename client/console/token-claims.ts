/** What a token lets its bearer have. */
export interface Grant {
  readonly kind: 'exact' | 'pattern' | 'template';
  readonly text: string;
}

/** What a token says. Nothing of it is verified: only the hub can do that. */
export interface TokenFacts {
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
  readonly subject: string | undefined;
  readonly issuer: string | undefined;
  readonly audiences: readonly string[];
  readonly name: string | undefined;
  /** Milliseconds since the epoch, as are the other times. */
  readonly issuedAt: number | undefined;
  readonly validFrom: number | undefined;
  readonly expiresAt: number | undefined;
  readonly reads: readonly Grant[];
  readonly publishes: readonly Grant[];
  readonly isAdmin: boolean;
  /** What others are told of a reader. */
  readonly payloads: readonly unknown[];
  /** Whether it is one of Mercure 0.x, which needs no audience. */
  readonly isOf0x: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const DETAIL_TYPE = 'https://mercure.rocks/authorization-detail';

/** The claims of a token in JWS Compact Serialization (RFC 7515); undefined for what is none. */
export function claimsOf(token: string): Json | undefined {
  return partOf(token, 1);
}

/** What a token says (RFC 9068, R55–R58, and the `mercure` claim of 0.x); undefined for what is no token. */
export function factsOf(token: string): TokenFacts | undefined {
  const header = partOf(token, 0);
  const claims = claimsOf(token);
  if (!header || !claims) return undefined;
  return {
    algorithm: textOf(header['alg']),
    keyId: textOf(header['kid']),
    subject: textOf(claims['sub']),
    issuer: textOf(claims['iss']),
    audiences: [claims['aud'] ?? []].flat().filter((one) => typeof one === 'string'),
    name: textOf(claims['jti']),
    issuedAt: timeOf(claims['iat']),
    validFrom: timeOf(claims['nbf']),
    expiresAt: timeOf(claims['exp']),
    ...(legacyOf(claims) ?? currentOf(claims)),
  };
}

type Granted = Pick<TokenFacts, 'reads' | 'publishes' | 'isAdmin' | 'payloads' | 'isOf0x'>;

function currentOf(claims: Json): Granted {
  const details = objectsIn(claims['authorization_details']).filter(({ type }) => type === DETAIL_TYPE);
  const withAction = (action: string): Json[] =>
    details.filter(({ actions }) => Array.isArray(actions) && actions.includes(action));
  const grantsOf = (action: string): Grant[] =>
    withAction(action).flatMap(({ topics }) => objectsIn(topics).flatMap((topic) => grantOf(topic)));
  return {
    reads: grantsOf('subscribe'),
    publishes: grantsOf('publish'),
    isAdmin: grantsOf('admin').length > 0,
    payloads: withAction('subscribe').flatMap(({ payload }) => (payload === undefined ? [] : [payload])),
    isOf0x: false,
  };
}

function grantOf({ match, match_type: type = 'exact' }: Json): Grant[] {
  if (typeof match !== 'string') return [];
  return [{ kind: type === 'urlpattern' ? 'pattern' : 'exact', text: match }];
}

/** What the claim of 0.x grants, with its name as it is or with its namespace. */
function legacyOf(claims: Json): Granted | undefined {
  const claim = claims['mercure'] ?? claims['https://mercure.rocks/'];
  if (!isObject(claim)) return undefined;
  return {
    reads: selectorsIn(claim['subscribe']),
    publishes: selectorsIn(claim['publish']),
    isAdmin: false,
    payloads: claim['payload'] === undefined ? [] : [claim['payload']],
    isOf0x: true,
  };
}

function selectorsIn(list: unknown): Grant[] {
  if (!Array.isArray(list)) return [];
  return list
    .filter((text) => typeof text === 'string')
    .map((text): Grant => ({ kind: text.includes('{') ? 'template' : 'exact', text }));
}

function partOf(token: string, index: number): Json | undefined {
  const part = token.split('.')[index] ?? '';
  try {
    const text = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function objectsIn(list: unknown): Json[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function timeOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value * 1_000 : undefined;
}
