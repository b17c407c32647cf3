import { randomBytes } from 'node:crypto';
import { dividedKeys, type IssuerConfig, type KeysByRole, keySetOf, parseIssuers, tryKeys } from './issuers.js';
import { keysIn } from './key-list.js';
import { KeyError, type VerificationKey } from './keys.js';
import { type Role, ROLES } from '../../shared/role.js';

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

/**
 * Generates the secrets that were not given, in development only; `productionMistakes` requires them in production.
 * @param earlier those that were generated before, which stay.
 */
export function madeUpSecrets(v: KeyVariables, earlier: Secrets): Secrets {
  if (v.NODE_ENV === 'production' || v.HERALD_JWKS_URI || v.HERALD_JWKS_FILE || v.HERALD_ISSUERS_FILE) return {};
  return {
    ...(!v.HERALD_PUBLISHER_KEY && { publisher: earlier.publisher ?? randomSecret() }),
    ...(!v.HERALD_SUBSCRIBER_KEY && { subscriber: earlier.subscriber ?? randomSecret() }),
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
  const keys: KeysByRole = {};
  for (const role of ROLES) keys[role] = readKeys(v, role, madeUp, mistakes);
  if (v.HERALD_JWKS_URI && v.HERALD_JWKS_FILE) {
    mistakes.push('HERALD_JWKS_URI and HERALD_JWKS_FILE are both set: keep one of them');
  }
  const keySet = keySetOf(v.HERALD_JWKS_URI, v.HERALD_JWKS_FILE);
  if (!keySet && ROLES.every((role) => keys[role]?.length === 0)) return issuers;
  if (issuers.some(({ issuer }) => issuer === v.HERALD_ISSUER)) {
    mistakes.push('HERALD_ISSUER is in HERALD_ISSUERS_FILE as well: keep its keys in one place');
  }
  return [...issuers, { issuer: v.HERALD_ISSUER, ...dividedKeys(keys), ...(keySet && { keySet }) }];
}

function readKeys(v: KeyVariables, role: Role, madeUp: Secrets, mistakes: string[]): VerificationKey[] {
  const upper = role.toUpperCase() as Uppercase<Role>;
  const name = `HERALD_${upper}_KEY` as const;
  const text = v[name] ?? madeUp[role];
  if (!text) return [];
  const alg = v[`HERALD_${upper}_ALG`];
  const checks = { mistakes, mayBeWeak: v.HERALD_WEAK_SECRETS };
  try {
    const texts = keysIn(text);
    const nameOf = (index: number): string => (texts.length === 1 ? name : `${name} (key ${index + 1} of its list)`);
    return tryKeys(
      texts.map((key) => ({ key, alg })),
      nameOf,
      checks,
    );
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    mistakes.push(`${name} ${error.message}`);
    return [];
  }
}

function readIssuers(path: string, readFile: Gathering['readFile'], mistakes: string[]): IssuerConfig[] {
  try {
    return parseIssuers(readFile(path), mistakes);
  } catch {
    mistakes.push("HERALD_ISSUERS_FILE can't be read: check the path and its permissions");
    return [];
  }
}
