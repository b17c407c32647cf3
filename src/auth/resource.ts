import { HUB_PATH } from '../hub/http/hub-path.js';

/** A request as far as its own address is concerned; proxies have been taken into account where they are trusted. */
export interface Addressed {
  readonly protocol: string;
  readonly host: string;
}

/** The resource identifier that a token for this request must name in `aud` (R54): as configured, or the hub's URL. */
export function resourceOf({ protocol, host }: Addressed, configured: string | undefined): string {
  return configured ?? `${protocol}://${host}${HUB_PATH}`;
}

/** Where the metadata of that resource is (RFC 9728, 3.1): the well-known path before the resource's own. */
export function metadataUrlOf(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${METADATA_PREFIX}${pathname}`;
}

export const METADATA_PREFIX = '/.well-known/oauth-protected-resource';
