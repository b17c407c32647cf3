import type { HeraldError, HeraldErrorCode } from './errors.js';

/** Errors that mend themselves, or leave everything working. */
const PASSING = new Set<HeraldErrorCode>([
  'unreachable',
  'stalled',
  'busy',
  'not-a-stream',
  'token-failed',
  'sharing-unavailable',
]);

/** Tells the developer of an error that nobody listens to, unless it passes. */
export function report(error: HeraldError): void {
  if (PASSING.has(error.code)) return;
  // Node.js has no `reportError`.
  const { reportError } = globalThis as { readonly reportError?: (error: unknown) => void };
  // oxlint-disable-next-line no-console -- as above
  (reportError ?? console.error)(error);
}
