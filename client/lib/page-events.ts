/**
 * What the client does when its page changes. `hurry`: the network, the page or the machine is back, so it is of no use
 * to wait any longer. `offline`: the browser says that there is no network. `suspend`: the page is frozen or in the back/forward cache, where a connection would stay open
 * without being read. `resume`: the page is active again.
 */
export type PageAct = 'hurry' | 'offline' | 'suspend' | 'resume';

/** Milliseconds over which clients on the same network spread their reconnections when it is back. */
const ONLINE_SPREAD = 1_000;

/** Follows the life of the page, where there is one. Returns a function that stops it. */
export function followPage(tell: (act: PageAct) => void): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const stop = new AbortController();
  // Some of these events are fired at the document and do not bubble, but the window sees them in the capture phase.
  const on = (type: string, act: () => unknown): void =>
    addEventListener(type, act, { capture: true, signal: stop.signal });
  on('online', () => setTimeout(tell, Math.random() * ONLINE_SPREAD, 'hurry'));
  on('offline', () => tell('offline'));
  // Nobody looks at a page that has just been hidden, so there is no hurry.
  on('visibilitychange', () => document.visibilityState === 'hidden' || tell('hurry'));
  on('pagehide', () => tell('suspend'));
  on('freeze', () => tell('suspend'));
  on('pageshow', () => tell('resume'));
  on('resume', () => tell('resume'));
  return () => stop.abort();
}
