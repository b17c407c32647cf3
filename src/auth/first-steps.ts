import type { Config } from '../config/config.js';
import { HUB_PATH } from '../hub/http/hub-path.js';
import { developmentToken } from './development-token.js';

/**
 * In development, with keys made up for this run: commands to paste that subscribe and publish. Undefined where a key
 * was given: its tokens are for its owner to make, and not for a terminal to show.
 */
export async function firstSteps({ auth, production }: Config, url: string): Promise<string | undefined> {
  if (production || auth.madeUp.length < 2) return undefined;
  const [publish, subscribe] = await Promise.all([
    developmentToken('publish', auth.publisherKey),
    developmentToken('subscribe', auth.subscriberKey),
  ]);
  return `
No keys are set, so these tokens are good for this run only.
Subscribe:
  curl -N -H 'Authorization: Bearer ${subscribe}' '${url}${HUB_PATH}?match=*'
Publish, in another terminal:
  curl -H 'Authorization: Bearer ${publish}' -d topic=https://example.com/hello -d data=world ${url}${HUB_PATH}
`;
}
