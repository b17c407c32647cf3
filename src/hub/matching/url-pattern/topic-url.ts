/** A topic as a URL, in the components that URL Patterns are matched against: without the delimiters around them. */
export interface TopicUrl {
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
  /** Protocol, host, port and path in one text, with which a pattern's `literalPrefix` is compared. */
  readonly address: string;
}

/** `topic` resolved against the hub's URL (R25), or nothing when it's no URL: it then matches no URL Pattern (R26). */
export function parseTopicUrl(topic: string, hubUrl: URL): TopicUrl | undefined {
  let url: URL;
  try {
    url = new URL(topic, hubUrl);
  } catch {
    return undefined;
  }
  const { username, password, hostname, port, pathname } = url;
  const protocol = url.protocol.slice(0, -1);
  const search = url.search.slice(1);
  const hash = url.hash.slice(1);
  const address = `${protocol}://${hostname}${port === '' ? '' : `:${port}`}${pathname}`;
  return { protocol, username, password, hostname, port, pathname, search, hash, address };
}
