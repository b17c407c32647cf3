import type { Config } from './config.js';

/** Something that Herald runs with, and that the operator may not have meant. */
interface Advice {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

/** What is worth a line in the log at the start where it holds, and what to do about it. */
const ADVICE: readonly (Advice & { readonly holds: (config: Config) => boolean })[] = [
  {
    level: 'warn',
    message:
      'HERALD_RESOURCE is not set, so tokens must name in aud the URL that each request came to, and behind a proxy may ' +
      "all be refused: set it to the hub's public URL.",
    holds: ({ auth }) => auth.resource === undefined && auth.madeUp.length === 0 && auth.issuers.length > 0,
  },
  {
    level: 'warn',
    message:
      'HERALD_RESOURCE is an http URL, so tokens and updates can be read on their way: put TLS in front of Herald, or set ' +
      'HERALD_TLS_CERT_FILE, and make it an https URL.',
    holds: ({ production, hub }) => {
      const { protocol, hostname } = new URL(hub.hubUrl);
      return production && protocol === 'http:' && !isLoopback(hostname);
    },
  },
  {
    level: 'warn',
    message:
      'Other machines can reach this service (HOST), which makes up its own keys: set NODE_ENV=production, and keys, ' +
      'before anybody relies on it.',
    holds: ({ production, auth, server }) => !production && auth.madeUp.length > 0 && !isLoopback(server.host),
  },
  {
    level: 'warn',
    message:
      "HERALD_MAX_CONNECTIONS_PER_ADDRESS counts a proxy's address as one client's: name the proxy in HERALD_TRUST_PROXY.",
    holds: ({ streams, hub, server }) =>
      streams.maxConnectionsPerAddress > 0 &&
      hub.hubUrl.startsWith('https:') &&
      !server.tls &&
      server.trustProxy === false,
  },
  {
    level: 'info',
    message:
      'Updates are kept in memory, and a restart forgets them: set HERALD_JOURNAL to lmdb: or redis: for readers that ' +
      'come back to miss none.',
    holds: ({ production, hub }) => production && hub.journal.url.startsWith('memory:'),
  },
];

/** What in the configuration is worth a line in the log at the start. */
export function adviceFor(config: Config): readonly Advice[] {
  return ADVICE.filter(({ holds }) => holds(config));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || host.startsWith('127.');
}
