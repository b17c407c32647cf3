import type { Identity } from './session.js';

/** Tokens of the service's own, which it gives in development where it has made its keys up; nothing anywhere else. */
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
