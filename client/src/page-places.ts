/**
 * Where the page finds what it asks for: beside itself, as in the service, whatever path a proxy has put before it. The
 * document of an application says where things are there (`<meta name="herald-hub">` and the like). The page is a console
 * alone then: there is no clock, and nobody gives tokens for development.
 */
function told(name: string): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="herald-${name}"]`)?.content;
}

const STANDARD_PATH = '.well-known/mercure';
const METADATA = '.well-known/oauth-protected-resource/';

/** Whether the page is a console in an application with a hub in it. */
export const isInApplication = told('hub') !== undefined;

/** Whether there is administration, and its path. */
export const hasAdmin = !isInApplication || told('admin') !== undefined;
export const ADMIN_PATH = told('admin') ?? 'admin';

export const HUB_PATH = told('hub') ?? STANDARD_PATH;

/** Where the hub is. */
export const HUB_URL = new URL(HUB_PATH, document.baseURI).href;

/** Where what the hub tells of itself is (RFC 9728): below a path of the site it is there as well. */
export const METADATA_PATH = HUB_PATH.endsWith(STANDARD_PATH)
  ? HUB_PATH.slice(0, -STANDARD_PATH.length) + METADATA + STANDARD_PATH
  : `/${METADATA}${HUB_PATH.slice(1)}`;

/** Where the client library is. */
export const LIBRARY_URL = new URL(told('library') ?? 'herald/client.js', document.baseURI).href;

/** What has to be set for administration and for who is subscribed: of the service, or among the options of the module. */
export const ADMIN_SETTING = isInApplication ? 'keys.admin' : 'HERALD_ADMIN_KEY';
export const SUBSCRIPTIONS_SETTING = isInApplication ? 'hub.subscriptions' : 'HERALD_SUBSCRIPTIONS=true';
