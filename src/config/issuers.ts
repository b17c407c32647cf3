import { z } from 'zod';
import { type Role, ROLES } from '../shared/role.js';
import { KeyError, parseKey, type VerificationKey } from './keys.js';

/** An issuer whose tokens are accepted, and the keys that verify them (R53: each key belongs to one issuer). */
export interface IssuerConfig {
  /** What the token's `iss` must be, exactly. */
  readonly issuer: string;
  readonly keys: Readonly<Partial<Record<Role, VerificationKey>>>;
  /** A set of public keys, by address or file, which may change while the service runs. */
  readonly keySet?: KeySetConfig;
}

export interface KeySetConfig {
  readonly uri?: string;
  readonly file?: string;
  readonly algorithms: readonly string[];
  readonly roles: readonly Role[];
}

/** The algorithms that keys of a key set may be used with: none that works with a secret (R52), and no weak one. */
export const KEY_SET_ALGORITHMS = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const;

const DEFAULT_KEY_SET_ROLES: readonly Role[] = ['publisher', 'subscriber'];

/** An address that public keys may come from: HTTPS, or HTTP from this very machine. */
export function isKeySetUri(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username } = new URL(text);
  if (username) return false;
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}

const keySchema = z.union([
  z.string().transform((key) => ({ key, alg: undefined })),
  z.strictObject({ key: z.string(), alg: z.string().optional() }),
]);

const issuerSchema = z.strictObject({
  issuer: z.string().min(1),
  publisher_key: keySchema.optional(),
  subscriber_key: keySchema.optional(),
  admin_key: keySchema.optional(),
  jwks_uri: z.string().refine(isKeySetUri, 'must be an https URL, or http on localhost').optional(),
  jwks_file: z.string().min(1).optional(),
  algorithms: z.array(z.enum(KEY_SET_ALGORITHMS)).min(1).optional(),
  roles: z
    .array(z.enum(['publisher', 'subscriber', 'admin']))
    .min(1)
    .optional(),
});

type GivenIssuer = z.output<typeof issuerSchema>;

const MAX_ISSUERS = 100;

const fileSchema = z.array(issuerSchema).min(1).max(MAX_ISSUERS);

/** The issuers that a file lists as JSON. Mistakes in the file are added to `mistakes`, without repeating any key. */
export function parseIssuers(text: string, mistakes: string[]): IssuerConfig[] {
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) {
      mistakes.push(`HERALD_ISSUERS_FILE ${path.join('.') || 'as a whole'}: ${message}`);
    }
    return [];
  }
  const names = parsed.data.map(({ issuer }) => issuer);
  if (new Set(names).size < names.length) mistakes.push('HERALD_ISSUERS_FILE names an issuer twice: put them together');
  return parsed.data.map((given, index) => toIssuer(given, index, mistakes));
}

function toIssuer(given: GivenIssuer, index: number, mistakes: string[]): IssuerConfig {
  const where = `HERALD_ISSUERS_FILE ${index}`;
  const keys: Partial<Record<Role, VerificationKey>> = {};
  for (const role of ROLES) {
    const one = given[`${role}_key`];
    // A secret that comes from a file easily ends with the end of its line.
    const key = one && tryKey(one.key.trim(), one.alg, `${where}.${role}_key`, { mistakes });
    if (key) keys[role] = key;
  }
  const keySet = keySetOf(given.jwks_uri, given.jwks_file, given);
  if (given.jwks_uri && given.jwks_file) mistakes.push(`${where} has both jwks_uri and jwks_file: keep one of them`);
  if (!keySet && ROLES.every((role) => !given[`${role}_key`])) mistakes.push(`${where} has no key`);
  return { issuer: given.issuer, keys, ...(keySet && { keySet }) };
}

/** The key; undefined, and a mistake added, if it is not valid. */
export function tryKey(
  text: string,
  algorithm: string | undefined,
  name: string,
  { mistakes, mayBeWeak = false }: { readonly mistakes: string[]; readonly mayBeWeak?: boolean },
): VerificationKey | undefined {
  try {
    return parseKey(text, algorithm, mayBeWeak);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    mistakes.push(`${name} ${error.message}`);
    return undefined;
  }
}

/** The set of keys at an address or in a file, by default for publishers and subscribers. */
export function keySetOf(
  uri: string | undefined,
  file: string | undefined,
  { algorithms = KEY_SET_ALGORITHMS, roles = DEFAULT_KEY_SET_ROLES }: KeySetChoices = {},
): KeySetConfig | undefined {
  if (uri) return { uri, algorithms, roles };
  return file ? { file, algorithms, roles } : undefined;
}

interface KeySetChoices {
  readonly algorithms?: readonly string[] | undefined;
  readonly roles?: readonly Role[] | undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
