/** What the URL says of the console, behind the `#`. Tokens are never part of it. */
export interface Address {
  readonly topics: readonly Topic[];
  readonly since: string;
  readonly filter: string;
  readonly panel: Panel;
  /** Whether a second reader is beside the first. */
  readonly second: boolean;
}

/** What is subscribed to. */
export interface Topic {
  readonly kind: 'exact' | 'pattern';
  readonly text: string;
}

export const PANELS = ['publish', 'topics', 'detail', 'charts', 'subscribers', 'token', 'snippets', 'admin'] as const;
/** The panel beside the log. */
export type Panel = (typeof PANELS)[number];

/** The most topics that one page subscribes to; the hub takes a hundred. */
export const MAX_TOPICS = 50;

const PREFIX = '#/console';
const LONGEST = 1_000;

export function isConsole(hash: string): boolean {
  return hash === PREFIX || hash.startsWith(`${PREFIX}?`);
}

/** Whether the address names the console alone, as links to it do: what it shows is to stay as it is. */
export function isBare(hash: string): boolean {
  return hash === PREFIX;
}

/** Reads the hash. What makes no sense is ignored, because somebody may have typed it. */
export function parseAddress(hash: string): Address {
  const query = new URLSearchParams(hash.slice(PREFIX.length + 1));
  const topics = [...query].flatMap(([name, text]): Topic[] => {
    if (text === '' || text.length > LONGEST) return [];
    if (name === 'topic') return [{ kind: 'exact', text }];
    return name === 'pattern' ? [{ kind: 'pattern', text }] : [];
  });
  const panel = PANELS.find((known) => known === query.get('panel')) ?? 'publish';
  const short = (name: string): string => (query.get(name) ?? '').slice(0, LONGEST);
  return {
    topics: topics.slice(0, MAX_TOPICS),
    since: short('since'),
    filter: short('filter'),
    panel,
    second: query.has('second'),
  };
}

export function formatAddress({ topics, since, filter, panel, second }: Address): string {
  const query = new URLSearchParams(topics.map(({ kind, text }) => [kind === 'exact' ? 'topic' : 'pattern', text]));
  if (since !== '') query.set('since', since);
  if (filter !== '') query.set('filter', filter);
  if (panel !== 'publish') query.set('panel', panel);
  if (second) query.set('second', '1');
  return query.size > 0 ? `${PREFIX}?${query.toString()}` : PREFIX;
}
