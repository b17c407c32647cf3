import type { VerificationKey } from '../../config/keys.js';
import type { AuthOptions } from '../settings/auth.options.js';
import { mintToken, type TokenGrant } from '../tokens/mint-token.js';

/** Tokens that allow everything that has to do with updates. */
export interface DeveloperTokens {
  readonly publish: string;
  readonly subscribe: string;
}

/** Tokens of the hub's last issuer, whose keys were made up. Undefined where it has none. */
export async function mintDeveloperTokens(
  { issuers }: Pick<AuthOptions, 'issuers'>,
  { audience, lifetime }: { readonly audience: string[]; readonly lifetime: number },
): Promise<DeveloperTokens | undefined> {
  const { issuer = '', keys = {} } = issuers.at(-1) ?? {};
  const { publisher, subscriber } = keys;
  if (!publisher || !subscriber) return undefined;
  const mint = (action: TokenGrant['action'], key: VerificationKey): Promise<string> => {
    const grants = [{ action, topics: [{ match: '*' }] }];
    return mintToken({ issuer, audience, subject: 'developer', lifetime, grants }, key);
  };
  const [publish, subscribe] = await Promise.all([mint('publish', publisher), mint('subscribe', subscriber)]);
  return { publish, subscribe };
}

/** Whether the service has made its keys up for this run: then its tokens are nobody else's to make. */
export function hasMadeUpKeys({ production, madeUp }: { production: boolean; madeUp: readonly unknown[] }): boolean {
  return !production && madeUp.length >= 2;
}
