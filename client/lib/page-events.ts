/**
 * What the client does about its page. `hurry`: the network, the page or the machine has come back, and there is no reason
 * to sit a delay out. `suspend`: the page is put aside or frozen, and a connection would stay open and never be read.
 */
export type PageAct = 'hurry' | 'suspend' | 'resume';

/** Milliseconds over which those who share a network spread their return. */
const ONLINE_SPREAD = 1_000;

/** Follows the life of the page, where there is one. Answers a function that stops it. */
export function followPage(tell: (act: PageAct) => void): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const stop = new AbortController();
  // Some of them happen to the document, and do not bubble: the window hears them on their way down.
  const on = (type: string, act: () => void): void =>
    addEventListener(type, act, { capture: true, signal: stop.signal });
  on('online', () => setTimeout(tell, Math.random() * ONLINE_SPREAD, 'hurry'));
  on('visibilitychange', () => tell('hurry'));
  on('pagehide', () => tell('suspend'));
  on('freeze', () => tell('suspend'));
  on('pageshow', () => tell('resume'));
  on('resume', () => tell('resume'));
  return () => stop.abort();
}
