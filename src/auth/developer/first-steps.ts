import type { Config } from '../../config/config.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import { hasMadeUpKeys, mintDeveloperTokens } from './developer-tokens.js';

/** Seconds for which the tokens are valid. Generated secrets do not outlive the process anyway. */
const DAY = 86_400;

/**
 * Commands to paste that subscribe and publish, for development with keys that were generated for this run. Undefined
 * where a key was given, because a terminal must not show tokens that are signed with it.
 */
export async function firstSteps({ auth, production }: Config, url: string): Promise<string | undefined> {
  if (!hasMadeUpKeys({ production, madeUp: auth.madeUp })) return undefined;
  const tokens = await mintDeveloperTokens(auth, { audience: ownAudience(auth.resource, url), lifetime: DAY });
  if (!tokens) return undefined;
  const { publish, subscribe } = tokens;
  return `
No keys are set, so these tokens are good for this run only. In two other terminals:
  export READ=${subscribe} WRITE=${publish}
Subscribe in one:
  curl -N -H "Authorization: Bearer $READ" '${url}${HUB_PATH}?match=*'
Publish in the other:
  curl -H "Authorization: Bearer $WRITE" -d topic=https://example.com/hello -d data=world ${url}${HUB_PATH}
`;
}

/** The audience of a token for this hub: the configured resource, or else the hub's URL by each name of localhost. */
export function ownAudience(resource: string | undefined, url: string): string[] {
  if (resource !== undefined) return [resource];
  return [url, url.replace('//localhost:', '//127.0.0.1:')].map((origin) => origin + HUB_PATH);
}
