import { z } from 'zod';
import { type Role, ROLES } from '../../shared/role.js';
import { MOST_KEYS } from './key-list.js';
import { KeyError, parseKey, type VerificationKey } from './keys.js';

/** An issuer whose tokens are accepted, and the keys that verify them (R53: each key belongs to one issuer). */
export interface IssuerConfig {
  /** What the token's `iss` must be, exactly. */
  readonly issuer: string;
  readonly keys: Readonly<Partial<Record<Role, VerificationKey>>>;
  /** Further keys that verify tokens as well, such as the one before while clients get tokens that the new one signed. */
  readonly moreKeys?: Readonly<Partial<Record<Role, readonly VerificationKey[]>>>;
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

const keysSchema = z.union([keySchema.transform((key) => [key]), z.array(keySchema).min(1).max(MOST_KEYS)]);

const issuerSchema = z.strictObject({
  issuer: z.string().min(1),
  publisher_key: keysSchema.optional(),
  subscriber_key: keysSchema.optional(),
  admin_key: keysSchema.optional(),
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
  const all: KeysByRole = {};
  for (const role of ROLES) {
    const name = `${where}.${role}_key`;
    all[role] = tryKeys(given[`${role}_key`] ?? [], (place) => (place === 0 ? name : `${name}.${place}`), { mistakes });
  }
  const keySet = keySetOf(given.jwks_uri, given.jwks_file, given);
  if (given.jwks_uri && given.jwks_file) mistakes.push(`${where} has both jwks_uri and jwks_file: keep one of them`);
  if (!keySet && ROLES.every((role) => !given[`${role}_key`])) mistakes.push(`${where} has no key`);
  return { issuer: given.issuer, ...dividedKeys(all), ...(keySet && { keySet }) };
}

/** All keys of each role, the one that signs first. */
export type KeysByRole = Partial<Record<Role, readonly VerificationKey[]>>;

/** The keys as an {@link IssuerConfig} has them. */
export function dividedKeys(all: KeysByRole): Pick<IssuerConfig, 'keys' | 'moreKeys'> {
  const keys: Partial<Record<Role, VerificationKey>> = {};
  const moreKeys: KeysByRole = {};
  for (const role of ROLES) {
    const [first, ...more] = all[role] ?? [];
    if (first) keys[role] = first;
    if (more.length > 0) moreKeys[role] = more;
  }
  return { keys, ...(Object.keys(moreKeys).length > 0 && { moreKeys }) };
}

/** All keys of a role, the one that signs first. */
export function keysOf({ keys, moreKeys }: Pick<IssuerConfig, 'keys' | 'moreKeys'>, role: Role): VerificationKey[] {
  return [...(keys[role] ? [keys[role]] : []), ...(moreKeys?.[role] ?? [])];
}

interface KeyChecks {
  readonly mistakes: string[];
  readonly mayBeWeak?: boolean;
}

/** The keys that are valid. A mistake is added for each other one, under the name that its place has. */
export function tryKeys(
  given: readonly { readonly key: string; readonly alg?: string | undefined }[],
  nameOf: (index: number) => string,
  checks: KeyChecks,
): VerificationKey[] {
  // A secret that comes from a file easily ends with the end of its line.
  return given.flatMap(({ key, alg }, index) => tryKey(key.trim(), alg, nameOf(index), checks) ?? []);
}

function tryKey(
  text: string,
  algorithm: string | undefined,
  name: string,
  { mistakes, mayBeWeak = false }: KeyChecks,
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
