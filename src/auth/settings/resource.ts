import { HUB_PATH } from '../../shared/hub-path.js';

/** A request as far as its own address is concerned; proxies have been taken into account where they are trusted. */
export interface Addressed {
  readonly protocol: string;
  readonly host: string;
}

/** The resource identifier that a token for this request must name in `aud` (R54): as configured, or the hub's URL. */
export function resourceOf({ protocol, host }: Addressed, configured: string | undefined): string {
  if (configured !== undefined) return configured;
  const resource = `${protocol}://${host}${HUB_PATH}`;
  return HOST.test(host) && URL.canParse(resource) ? resource : NO_RESOURCE;
}

/** Where the metadata of that resource is (RFC 9728, 3.1): the well-known path before the resource's own. */
export function metadataUrlOf(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${METADATA_PREFIX}${pathname}`;
}

/** A name or an address, and perhaps a port. The URL parser lets more through, such as quotation marks. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** For a request that names no host that could be: no token is for this one (RFC 2606). */
const NO_RESOURCE = `https://hub.invalid${HUB_PATH}`;

export const METADATA_PREFIX = '/.well-known/oauth-protected-resource';
