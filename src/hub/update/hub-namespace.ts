/**
 * The octets that RFC 3986, section 2.3 calls unreserved (letters, digits, `-`, `.`, `_` and `~`) mean the same percent-encoded
 * or not. All others are passed over: to look at each octet of a long topic took milliseconds.
 */
const UNRESERVED = /%(?:2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi;

/**
 * Whether `topic` addresses the hub itself or something below it, whatever its scheme and authority (R30): nobody may
 * publish there, because the hub speaks about its subscriptions there. A topic that is no URL is outside.
 */
export function isInHubNamespace(topic: string, hubUrl: URL): boolean {
  const path = pathOf(topic, hubUrl);
  if (path === undefined) return false;
  const hubPath = decodeUnreserved(hubUrl.pathname);
  return path === hubPath || path.startsWith(`${hubPath}/`);
}

/** URLs whose path stands in them as it is: no dots, no percent signs, nothing after it. */
const PLAIN = /^https?:\/\/[\w.-]+(?::\d+)?\/[\w~/-]*$/;

/** The URL parser has removed the dot segments, `%2e` among them, by the time it gives the path. */
function pathOf(topic: string, hubUrl: URL): string | undefined {
  // Most topics are such URLs, and parsing one takes a tenth of what an update in a batch costs.
  if (PLAIN.test(topic)) return topic.slice(topic.indexOf('/', 'https://'.length));
  try {
    return decodeUnreserved(new URL(topic, hubUrl).pathname);
  } catch {
    return undefined;
  }
}

function decodeUnreserved(path: string): string {
  if (!path.includes('%')) return path;
  return path.replaceAll(UNRESERVED, (octet) => String.fromCharCode(Number.parseInt(octet.slice(1), 16)));
}
