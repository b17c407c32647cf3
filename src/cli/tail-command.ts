import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/config.js';
import { type Environment, plainText } from '../config/environment.js';
import { HUB_PATH } from '../shared/hub-path.js';
import { type FeedEvent } from './client/event-feed.js';
import { follow, FollowError } from './client/follow.js';
import { ownToken } from './client/own-token.js';
import { visible, visibleJson } from './client/visible.js';
import { hubUrlOf, orUsage } from './command.js';
import { topicOf } from './token-command.js';

const USAGE = `Usage: herald tail [--match TOPIC]... [--url URL] [--json]

Follows a hub and prints each update in a line as it comes: the time, its topics, its type, its id, and the first line of
its data. After a break it goes on where it was. A TOPIC is written as for herald token; default: *, every topic.

  --url URL   the hub (default: HERALD_URL, or else http://localhost:8080${HUB_PATH})
  --json      print JSON objects, one a line, as herald publish --ndjson takes them. A stream does not tell which
              updates are private, so they are not marked as such.

The token is read from HERALD_TOKEN, or else minted with the secret that the environment has for the service. Without
either, only public updates come.
`;

const OPTIONS = {
  match: { type: 'string', multiple: true },
  url: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean' },
} as const;

/** Characters of a line of data that are shown. */
const SHOWN = 500;

const FAILED = 1;

/** Notices that say something of what is shown, or is missing. */
const TOLD: Readonly<Record<string, string>> = {
  gap: 'Some updates are missing here',
  reset: 'The hub has lost its newest updates, and others follow in their place',
  revoked: 'The token was revoked',
  overloaded: 'The hub has too many streams',
};

/** `herald tail`: prints the updates of a hub as they come, until it is ended. */
export async function tailCommand(
  args: readonly string[],
  env: Environment,
  { output, errors }: { readonly output: Writable; readonly errors: Writable },
): Promise<number> {
  const given = orUsage(() => parseArgs({ args: [...args], options: OPTIONS }).values, USAGE);
  if (given.help) {
    output.write(USAGE);
    return 0;
  }
  const url = hubUrlOf(given.url, env);
  const tell = (text: string): unknown => errors.write(`${text}\n`);
  try {
    for await (const event of follow({
      url: withMatchers(url, given.match ?? ['*']),
      token: tokensOf(env, url),
      tell,
    })) {
      if (event.type === 'herald') tellNotice(event, tell);
      else if (!output.write(given.json ? jsonOf(event) : lineOf(event))) await once(output, 'drain');
    }
    return 0;
  } catch (error) {
    if (!(error instanceof FollowError)) throw error;
    tell(error.message);
    return FAILED;
  }
}

function withMatchers(hub: URL, topics: readonly string[]): URL {
  const url = new URL(hub);
  for (const given of topics) {
    const { match, match_type: type } = topicOf(given, hub);
    url.searchParams.append(type === 'urlpattern' ? 'match_urlpattern' : 'match', match);
  }
  url.searchParams.append('with', 'topics');
  return url;
}

/** The token that was given, or each time a new one, because they expire. */
function tokensOf(env: Environment, url: URL): () => Promise<string | undefined> {
  const token = plainText(env['HERALD_TOKEN']);
  if (token) return () => Promise.resolve(token);
  const config = loadConfig(env);
  return () => ownToken(config, url, { action: 'subscribe' });
}

function lineOf({ topics, type, id = '', data }: FeedEvent): string {
  const [first = '', ...others] = data.split('\n');
  const shown = first.length > SHOWN ? `${first.slice(0, SHOWN)}…` : first;
  const more = others.length === 0 ? '' : ` (and ${others.length} more line${others.length === 1 ? '' : 's'})`;
  const parts = [new Date().toISOString(), topics.join(' '), type && `[${type}]`, id, `${shown}${more}`];
  return `${visible(parts.filter(Boolean).join('  '))}\n`;
}

function jsonOf({ topics, type, id, data }: FeedEvent): string {
  return `${visibleJson({ topics, data, ...(id !== undefined && { id }), ...(type !== undefined && { type }) })}\n`;
}

function tellNotice({ data }: FeedEvent, tell: (text: string) => unknown): void {
  const { type = '', reason = '' } = noticeIn(data);
  const text = Object.hasOwn(TOLD, type) ? TOLD[type] : undefined;
  if (text !== undefined) tell(reason === '' ? `${text}.` : `${text} (${visible(reason)}).`);
}

function noticeIn(data: string): { readonly type?: string; readonly reason?: string } {
  try {
    const notice = JSON.parse(data) as Record<string, unknown> | null;
    const [type, reason] = [notice?.['type'], notice?.['reason']];
    return { ...(typeof type === 'string' && { type }), ...(typeof reason === 'string' && { reason }) };
  } catch {
    return {};
  }
}
