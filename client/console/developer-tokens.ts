import { isInApplication } from '../src/page-places.js';
import type { Identity } from './identity.js';

/**
 * Asks for the tokens that the service gives in development, where it has generated its keys; undefined elsewhere. Its
 * keys are new at each start, and its tokens expire, so they can be renewed.
 * @throws TypeError when the service can't be reached.
 */
export async function requestDeveloperTokens(): Promise<Identity | undefined> {
  if (isInApplication) return undefined;
  const response = await fetch(new URL('developer/tokens', document.baseURI), { method: 'POST', cache: 'no-store' });
  // A proxy says so while the service restarts: that is no answer of the service.
  if (response.status >= 500) throw new TypeError('The service is away.');
  if (!response.ok) return undefined;
  const { subscribe, publish } = (await response.json()) as { subscribe: string; publish: string };
  return { token: subscribe, publishToken: publish, renew: requestDeveloperTokens };
}
