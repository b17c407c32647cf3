import type { Config } from '../../config/config.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import { hasMadeUpKeys, mintDeveloperTokens } from './developer-tokens.js';

/** Tokens for secrets that were made up are good for no longer than those anyway. */
const DAY = 86_400;

/**
 * In development, with keys made up for this run: commands to paste that subscribe and publish. Undefined where a key
 * was given: its tokens are for its owner to make, and not for a terminal to show.
 */
export async function firstSteps({ auth, production }: Config, url: string): Promise<string | undefined> {
  if (!hasMadeUpKeys({ production, madeUp: auth.madeUp })) return undefined;
  const tokens = await mintDeveloperTokens(auth, { audience: ownAudience(auth.resource, url), lifetime: DAY });
  if (!tokens) return undefined;
  const { publish, subscribe } = tokens;
  return `
No keys are set, so these tokens are good for this run only.
Subscribe:
  curl -N -H 'Authorization: Bearer ${subscribe}' '${url}${HUB_PATH}?match=*'
Publish, in another terminal:
  curl -H 'Authorization: Bearer ${publish}' -d topic=https://example.com/hello -d data=world ${url}${HUB_PATH}
`;
}

/** What a token for this hub names as its audience: without a configured one, every name for this very machine. */
export function ownAudience(resource: string | undefined, url: string): string[] {
  if (resource !== undefined) return [resource];
  return [url, url.replace('//localhost:', '//127.0.0.1:')].map((origin) => origin + HUB_PATH);
}
