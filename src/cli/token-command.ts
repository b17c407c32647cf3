import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ownAudience } from '../auth/settings/own-audience.js';
import {
  mintToken,
  type SigningKey,
  type TokenGrant,
  type TokenRequest,
  type TokenTopic,
} from '../auth/tokens/mint-token.js';
import { type Config, loadConfig } from '../config/config.js';
import type { IssuerConfig } from '../config/keys/issuers.js';
import type { Role } from '../shared/role.js';
import { unfoldPem, type VerificationKey } from '../config/keys/keys.js';
import { parseDuration } from '../shared/units.js';
import { HubError } from '../access/hub.errors.js';
import { type Matcher, parseMatcher } from '../hub/matching/matcher.js';
import { type Command, orUsage, UsageError } from './command.js';

const USAGE = `Usage: herald token [--publish TOPIC]... [--subscribe TOPIC]... [--admin] [--ttl 1h] [--subject NAME]
                    [--payload JSON] [--audience URL] [--issuer NAME] [--key-file PRIVATE_KEY_PEM]

Prints a token, or with several keys one for each, with its role before it. A TOPIC is taken for a URL Pattern when it
looks like one (https://example.com/:id), and for a topic as it stands otherwise; write exact:TOPIC or urlpattern:TOPIC
to say which. * is every topic.
`;

const OPTIONS = {
  publish: { type: 'string', multiple: true },
  subscribe: { type: 'string', multiple: true },
  admin: { type: 'boolean' },
  ttl: { type: 'string', default: '1h' },
  subject: { type: 'string', default: 'herald-cli' },
  payload: { type: 'string' },
  audience: { type: 'string', multiple: true },
  issuer: { type: 'string' },
  'key-file': { type: 'string' },
  help: { type: 'boolean' },
} as const;

const ROLE_OF: Readonly<Record<TokenGrant['action'], Role>> = {
  publish: 'publisher',
  subscribe: 'subscriber',
  admin: 'admin',
};

/** `herald token`: mints tokens with the keys that the service is configured with. */
export const tokenCommand: Command = async (args, { env, output }) => {
  const given = orUsage(() => parseArgs({ args: [...args], options: OPTIONS }).values, USAGE);
  if (given.help) {
    output.write(USAGE);
    return 0;
  }
  const config = loadConfig(env);
  const grants = grantsOf(given, new URL(config.hub.hubUrl));
  const issuer = issuerOf(config, given.issuer);
  const lifetime = parseDuration(given.ttl);
  if (!lifetime || lifetime < 1_000) throw new UsageError('--ttl must be a duration such as 10m, 1h or 7d.');
  const request = {
    issuer: issuer.issuer,
    audience: given.audience ?? ownAudience(config.auth.resource, config.hub.hubUrl),
    subject: given.subject,
    lifetime: Math.floor(lifetime / 1_000),
  };
  const signing = await signingKeys(config, issuer, grants, given['key-file']);
  for (const line of await mintAll(request, signing)) output.write(`${line}\n`);
  return 0;
};

/** One token for each key. */
async function mintAll(
  request: Omit<TokenRequest, 'grants'>,
  signing: ReadonlyMap<SigningKey, TokenGrant[]>,
): Promise<string[]> {
  const tokens = [...signing].map(async ([key, grants]) => {
    const token = await mintToken({ ...request, grants }, key);
    return signing.size === 1 ? token : `${grants.map(({ action }) => action).join('+')} ${token}`;
  });
  return Promise.all(tokens);
}

interface Wanted {
  readonly publish?: string[] | undefined;
  readonly subscribe?: string[] | undefined;
  readonly admin?: boolean | undefined;
  readonly payload?: string | undefined;
}

function grantsOf({ publish, subscribe, admin, payload }: Wanted, hubUrl: URL): TokenGrant[] {
  const grants: TokenGrant[] = [];
  if (publish) grants.push({ action: 'publish', topics: publish.map((topic) => topicOf(topic, hubUrl)) });
  if (subscribe) {
    const topics = subscribe.map((topic) => topicOf(topic, hubUrl));
    grants.push({ action: 'subscribe', topics, ...(payload !== undefined && { payload: payloadOf(payload) }) });
  }
  if (admin) grants.push({ action: 'admin', topics: [{ match: '*' }] });
  if (grants.length === 0) throw new UsageError(`A token has to allow something.\n\n${USAGE}`);
  return grants;
}

/** A matcher as it is written on the command line. */
export function topicOf(given: string, hubUrl: URL): TokenTopic {
  const [, type, rest] = /^(exact|urlpattern):(.*)$/s.exec(given) ?? [];
  const match = rest ?? given;
  const matchType = type ?? (match !== '*' && /\/:|[*{(]/.test(match) ? 'urlpattern' : 'exact');
  const matcher = matcherOf(matchType, match, hubUrl);
  return matcher.type === 'urlpattern' ? { match, match_type: 'urlpattern' } : { match };
}

function matcherOf(type: string, pattern: string, hubUrl: URL): Matcher {
  try {
    return parseMatcher(type, pattern, hubUrl);
  } catch (error) {
    throw error instanceof HubError ? new UsageError(error.message) : error;
  }
}

function payloadOf(text: string): object {
  try {
    const payload: unknown = JSON.parse(text);
    if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload;
  } catch {
    // The error below is thrown for this as well.
  }
  throw new UsageError('--payload must be a JSON object.');
}

function issuerOf({ auth }: Config, name: string | undefined): IssuerConfig {
  const issuer = name === undefined ? auth.issuers.at(-1) : auth.issuers.find((one) => one.issuer === name);
  if (issuer) return issuer;
  throw new UsageError('--issuer must be one that the service is configured with.');
}

/** Which key signs which grants. */
async function signingKeys(
  { auth }: Config,
  { keys }: IssuerConfig,
  grants: readonly TokenGrant[],
  keyFile: string | undefined,
): Promise<Map<SigningKey, TokenGrant[]>> {
  const byKey = new Map<SigningKey, TokenGrant[]>();
  const fromFile = keyFile === undefined ? undefined : await readPrivateKey(keyFile);
  for (const grant of grants) {
    const role = ROLE_OF[grant.action];
    const own = signingKey(role, auth.madeUp.includes(role) ? undefined : keys[role], fromFile);
    const signing = [...byKey.keys()].find((other) => isSame(other, own)) ?? own;
    byKey.set(signing, [...(byKey.get(signing) ?? []), grant]);
  }
  return byKey;
}

function signingKey(role: Role, key: VerificationKey | undefined, fromFile: KeyObject | undefined): SigningKey {
  const name = `HERALD_${role.toUpperCase()}_KEY`;
  if (!key) throw new UsageError(`${name} is not set: the service has no key to sign this token with.`);
  const isSecret = key.key.type === 'secret';
  if (!isSecret && !fromFile) throw new UsageError(`${name} is a public key: give the private one with --key-file.`);
  if (fromFile && (isSecret || !createPublicKey(fromFile).equals(key.key))) {
    throw new UsageError(`--key-file is not the private key of ${name}.`);
  }
  return { key: fromFile ?? key.key, algorithm: key.algorithm };
}

async function readPrivateKey(path: string): Promise<KeyObject> {
  try {
    return createPrivateKey(unfoldPem(await readFile(path, 'utf8')));
  } catch {
    throw new UsageError('--key-file must be the path of a private key in PEM, without a passphrase.');
  }
}

function isSame(one: SigningKey, other: SigningKey): boolean {
  return one.algorithm === other.algorithm && one.key.equals(other.key);
}
