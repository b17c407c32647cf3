import { HubError } from '../../access/hub.errors.js';
import type { Origins } from '../../shared/http/origins.js';

/** Methods that change nothing (RFC 9110, 9.2.1). */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'QUERY', 'OPTIONS']);

/** The headers of a request that say from which page it comes. */
export interface PageRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Prevents cross-site request forgery with cookies (R89): a request that changes something must say that it comes from
 * the hub's own origin or from an allowed one.
 *
 * @throws {HubError} `origin-refused`
 */
export function checkOrigin({ headers }: PageRequest, own: string, allowed: Origins): void {
  const origin = pageOrigin(headers['origin'], headers['referer']);
  if (origin !== undefined && (origin === own || allowed.has(origin))) return;
  throw new HubError(
    'origin-refused',
    'With a cookie, a request that changes something must come from a page whose origin is allowed.',
  );
}

/** `Origin`, and where a browser leaves that out, the origin of the `Referer`. */
function pageOrigin(origin: unknown, referer: unknown): string | undefined {
  if (typeof origin === 'string') return origin;
  return typeof referer === 'string' && URL.canParse(referer) ? new URL(referer).origin : undefined;
}
