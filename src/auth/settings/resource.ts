import { HUB_PATH } from '../../shared/hub-path.js';
import type { AuthOptions } from './auth.options.js';

/** The parts of a request that make up the URL it was sent to; trusted proxies have been taken into account. */
export interface Addressed {
  readonly protocol: string;
  readonly host: string;
}

/** The resource identifier that a token for this request must name in `aud` (R54): as configured, or the hub's URL. */
export function resourceOf(
  { protocol, host }: Addressed,
  { resource: configured, hubUrl }: Pick<AuthOptions, 'resource' | 'hubUrl'>,
): string {
  if (configured !== undefined) return configured;
  const { pathname } = hubUrl;
  if (host === last.host && protocol === last.protocol && pathname === last.pathname) return last.resource;
  const resource = `${protocol}://${host}${pathname}`;
  const isUrl = HOST.test(host) && URL.canParse(resource);
  last = { protocol, host, pathname, resource: isUrl ? resource : NO_RESOURCE };
  return last.resource;
}

/** Nearly all requests name the same host, and parsing the URL took a fiftieth of what a publication costs. */
let last = { protocol: '', host: '', pathname: '', resource: '' };

/**
 * The URL of a resource's metadata: the well-known path before the resource's own (RFC 9728, 3.1). Below a path of another
 * site it is there as well, and in that path too, which alone is sure to lead to the service: that URL is told.
 * @param path of the hub's routes in the application.
 */
export function metadataUrlOf(resource: string, path = HUB_PATH): string {
  const { origin, pathname } = new URL(resource);
  const base = pathname.endsWith(path) ? pathname.slice(0, -path.length) : '';
  return `${origin}${base}${METADATA_PREFIX}${pathname.slice(base.length)}`;
}

/** A name or an address, and perhaps a port. The URL parser lets more through, such as quotation marks. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Stands for the hub where a request names no valid host: no token is for it, as `.invalid` is reserved (RFC 2606). */
const NO_RESOURCE = `https://hub.invalid${HUB_PATH}`;

export const METADATA_PREFIX = '/.well-known/oauth-protected-resource';
