import { randomBytes } from 'node:crypto';
import { type IssuerConfig, keySetOf, parseIssuers, tryKey } from './issuers.js';
import { type Role, ROLES } from '../shared/role.js';
import type { VerificationKey } from './keys.js';

/** The variables that describe issuers and their keys. */
export interface KeyVariables {
  readonly NODE_ENV: string;
  readonly HERALD_ISSUER: string;
  readonly HERALD_PUBLISHER_KEY?: string | undefined;
  readonly HERALD_PUBLISHER_ALG?: string | undefined;
  readonly HERALD_SUBSCRIBER_KEY?: string | undefined;
  readonly HERALD_SUBSCRIBER_ALG?: string | undefined;
  readonly HERALD_ADMIN_KEY?: string | undefined;
  readonly HERALD_ADMIN_ALG?: string | undefined;
  readonly HERALD_JWKS_URI?: string | undefined;
  readonly HERALD_JWKS_FILE?: string | undefined;
  readonly HERALD_ISSUERS_FILE?: string | undefined;
  readonly HERALD_WEAK_SECRETS: boolean;
}

/** Generates the secrets that were not given, in development only; `productionMistakes` requires them in production. */
export function madeUpSecrets(v: KeyVariables): Secrets {
  if (v.NODE_ENV === 'production' || v.HERALD_JWKS_URI || v.HERALD_JWKS_FILE || v.HERALD_ISSUERS_FILE) return {};
  return {
    ...(!v.HERALD_PUBLISHER_KEY && { publisher: randomSecret() }),
    ...(!v.HERALD_SUBSCRIBER_KEY && { subscriber: randomSecret() }),
  };
}

export type Secrets = Readonly<Partial<Record<Role, string>>>;

function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

interface Gathering {
  readonly readFile: (path: string) => string;
  readonly mistakes: string[];
}

/** The issuers that the file lists, followed by the one that the other variables describe. */
export function toIssuers(v: KeyVariables, madeUp: Secrets, { readFile, mistakes }: Gathering): IssuerConfig[] {
  const issuers = v.HERALD_ISSUERS_FILE ? readIssuers(v.HERALD_ISSUERS_FILE, readFile, mistakes) : [];
  const keys: Partial<Record<Role, VerificationKey>> = {};
  for (const role of ROLES) {
    const name = `HERALD_${role.toUpperCase() as Uppercase<Role>}_KEY` as const;
    const text = v[name] ?? madeUp[role];
    const algorithm = v[`HERALD_${role.toUpperCase() as Uppercase<Role>}_ALG`];
    const key = text && tryKey(text, algorithm, name, { mistakes, mayBeWeak: v.HERALD_WEAK_SECRETS });
    if (key) keys[role] = key;
  }
  if (v.HERALD_JWKS_URI && v.HERALD_JWKS_FILE) {
    mistakes.push('HERALD_JWKS_URI and HERALD_JWKS_FILE are both set: keep one of them');
  }
  const keySet = keySetOf(v.HERALD_JWKS_URI, v.HERALD_JWKS_FILE);
  if (!keySet && Object.keys(keys).length === 0) return issuers;
  if (issuers.some(({ issuer }) => issuer === v.HERALD_ISSUER)) {
    mistakes.push('HERALD_ISSUER is in HERALD_ISSUERS_FILE as well: keep its keys in one place');
  }
  return [...issuers, { issuer: v.HERALD_ISSUER, keys, ...(keySet && { keySet }) }];
}

function readIssuers(path: string, readFile: Gathering['readFile'], mistakes: string[]): IssuerConfig[] {
  try {
    return parseIssuers(readFile(path), mistakes);
  } catch {
    mistakes.push("HERALD_ISSUERS_FILE can't be read: check the path and its permissions");
    return [];
  }
}
