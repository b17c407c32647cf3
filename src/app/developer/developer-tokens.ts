import type { VerificationKey } from '../../config/keys/keys.js';
import type { AuthOptions } from '../../auth/settings/auth.options.js';
import { mintToken, type TokenGrant } from '../../auth/tokens/mint-token.js';

/** Tokens that allow publishing and reading every topic. */
export interface DeveloperTokens {
  readonly publish: string;
  readonly subscribe: string;
}

/** Mints tokens with the generated keys, which are those of the last issuer. Undefined if it lacks one of them. */
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

/** Whether both keys were generated for this run, which is in development only: nobody else can mint tokens then. */
export function hasMadeUpKeys({ production, madeUp }: { production: boolean; madeUp: readonly unknown[] }): boolean {
  return !production && madeUp.length >= 2;
}
