import { HUB_PATH } from '../../shared/hub-path.js';

/** The parts of a request that make up the URL it was sent to; trusted proxies have been taken into account. */
export interface Addressed {
  readonly protocol: string;
  readonly host: string;
}

/** The resource identifier that a token for this request must name in `aud` (R54): as configured, or the hub's URL. */
export function resourceOf({ protocol, host }: Addressed, configured: string | undefined): string {
  if (configured !== undefined) return configured;
  if (host === last.host && protocol === last.protocol) return last.resource;
  const resource = `${protocol}://${host}${HUB_PATH}`;
  const isUrl = HOST.test(host) && URL.canParse(resource);
  last = { protocol, host, resource: isUrl ? resource : NO_RESOURCE };
  return last.resource;
}

/** Nearly all requests name the same host, and parsing the URL took a fiftieth of what a publication costs. */
let last = { protocol: '', host: '', resource: '' };

/** The URL of a resource's metadata (RFC 9728, 3.1): the well-known path before the resource's own. */
export function metadataUrlOf(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${METADATA_PREFIX}${pathname}`;
}

/** A name or an address, and perhaps a port. The URL parser lets more through, such as quotation marks. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Stands for the hub where a request names no valid host: no token is for it, as `.invalid` is reserved (RFC 2606). */
const NO_RESOURCE = `https://hub.invalid${HUB_PATH}`;

export const METADATA_PREFIX = '/.well-known/oauth-protected-resource';
