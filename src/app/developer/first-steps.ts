import type { Config } from '../../config/config.js';
import { ownAudience } from '../../auth/settings/own-audience.js';
import { hasMadeUpKeys, mintDeveloperTokens } from './developer-tokens.js';

/** Seconds for which the tokens are valid. Generated secrets do not outlive the process anyway. */
const DAY = 86_400;

/**
 * Commands to paste that subscribe and publish, for development with keys that were generated for this run. Undefined
 * where a key was given, because a terminal must not show tokens that are signed with it.
 */
export async function firstSteps({ auth, hub, production }: Config, url: string): Promise<string | undefined> {
  if (!hasMadeUpKeys({ production, madeUp: auth.madeUp })) return undefined;
  const hubUrl = url + new URL(hub.hubUrl).pathname;
  const tokens = await mintDeveloperTokens(auth, { audience: ownAudience(auth.resource, hubUrl), lifetime: DAY });
  if (!tokens) return undefined;
  const { publish, subscribe } = tokens;
  return `
No keys are set, so these tokens are good for this run only. In two other terminals:
  export READ=${subscribe} WRITE=${publish}
Subscribe in one:
  curl -N -H "Authorization: Bearer $READ" '${hubUrl}?match=*'
Publish in the other:
  curl -H "Authorization: Bearer $WRITE" -d topic=https://example.com/hello -d data=world ${hubUrl}
`;
}
