import { HubError } from '../../access/hub.errors.js';

/** A request as far as the page that it comes from is concerned. */
export interface PageRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Refuses what another site's page makes a browser do with the cookie that it holds (R89): a request that changes
 * something must come from the hub's own origin or one on the list, and say so.
 *
 * @throws {HubError} `origin-refused`
 */
export function checkOrigin({ headers }: PageRequest, own: string, allowed: readonly string[]): void {
  const origin = pageOrigin(headers['origin'], headers['referer']);
  if (origin !== undefined && (origin === own || allowed.includes(origin))) return;
  throw new HubError(
    'origin-refused',
    'With a cookie, a request that changes something must come from a page of an origin that is allowed to.',
  );
}

/** `Origin`, and where a browser leaves that out, the origin of the `Referer`. */
function pageOrigin(origin: unknown, referer: unknown): string | undefined {
  if (typeof origin === 'string') return origin;
  return typeof referer === 'string' && URL.canParse(referer) ? new URL(referer).origin : undefined;
}
