import { ownAudience } from '../../auth/settings/own-audience.js';
import { mintToken, type TokenGrant } from '../../auth/tokens/mint-token.js';
import type { Config } from '../../config/config.js';
import type { Role } from '../../shared/role.js';

/** Seconds: a command that goes on for longer mints another one. */
const LIFETIME = 900;

const ROLE_OF: Readonly<Record<TokenGrant['action'], Role>> = {
  publish: 'publisher',
  subscribe: 'subscriber',
  admin: 'admin',
};

export interface OwnToken {
  readonly action: TokenGrant['action'];
  /** Default: all. */
  readonly topic?: string;
  /** Default: `herald-cli`. */
  readonly subject?: string;
}

/**
 * A token for what a command does at a hub, signed with a secret that the service is configured with; undefined where it
 * has none, or only public keys.
 * @param url the hub as it is asked.
 */
export async function ownToken(
  { auth, hub }: Config,
  url: URL,
  { action, topic = '*', subject = 'herald-cli' }: OwnToken,
): Promise<string | undefined> {
  const role = ROLE_OF[action];
  const issuer = auth.issuers.findLast(({ keys }) => keys[role]?.key.type === 'secret');
  const key = issuer?.keys[role];
  if (!issuer || !key || auth.madeUp.includes(role)) return undefined;
  // Where no resource is configured, a hub takes the URL by which it is asked.
  const audience = [...new Set([...ownAudience(auth.resource, hub.hubUrl), ...(auth.resource ? [] : [url.href])])];
  const grants = [{ action, topics: [{ match: topic }] }];
  return mintToken({ issuer: issuer.issuer, audience, subject, lifetime: LIFETIME, grants }, key);
}
