import type { Identity } from './session.js';

/** Asks for the tokens that the service gives in development, where it has generated its keys; undefined elsewhere. */
export async function requestDeveloperTokens(): Promise<Identity | undefined> {
  try {
    const response = await fetch(new URL('developer/tokens', document.baseURI), { method: 'POST', cache: 'no-store' });
    if (!response.ok) return undefined;
    const { subscribe, publish } = (await response.json()) as { subscribe: string; publish: string };
    return { token: subscribe, publishToken: publish };
  } catch {
    return undefined;
  }
}
