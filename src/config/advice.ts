import type { Config } from './config.js';

/** Something that Herald runs with, and that the operator may not have meant. */
export interface Advice {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

/** What in the configuration is worth a line in the log at the start, each with what to do about it. */
export function adviceFor(config: Config): Advice[] {
  const { production, auth, hub, server, streams } = config;
  const { resource, madeUp } = auth;
  const url = resource === undefined ? undefined : new URL(resource);
  const isOpen = !isLoopback(server.host);
  return [
    warnIf(
      url === undefined && madeUp.length === 0 && auth.issuers.length > 0,
      'HERALD_RESOURCE is not set, so tokens must name in aud the URL that each request came to, and behind a proxy may ' +
        "all be refused: set it to the hub's public URL.",
    ),
    warnIf(
      production && url?.protocol === 'http:' && !isLoopback(url.hostname),
      'HERALD_RESOURCE is an http URL, so tokens and updates can be read on their way: put TLS in front of Herald, or set ' +
        'HERALD_TLS_CERT_FILE, and make it an https URL.',
    ),
    warnIf(
      !production && isOpen && madeUp.length > 0,
      'Other machines can reach this service (HOST), which makes up its own keys: set NODE_ENV=production, and keys, ' +
        'before anybody relies on it.',
    ),
    warnIf(
      streams.maxConnectionsPerAddress > 0 && url?.protocol === 'https:' && !server.tls && server.trustProxy === false,
      "HERALD_MAX_CONNECTIONS_PER_ADDRESS counts a proxy's address as one client's: name the proxy in HERALD_TRUST_PROXY.",
    ),
    ...(production && hub.journal.url.startsWith('memory:') ? [FORGETFUL] : []),
  ].flatMap((advice) => advice ?? []);
}

const FORGETFUL: Advice = {
  level: 'info',
  message:
    'Updates are kept in memory, and a restart forgets them: set HERALD_JOURNAL to lmdb: or redis: for readers that come ' +
    'back to miss none.',
};

function warnIf(condition: boolean, message: string): Advice | undefined {
  return condition ? { level: 'warn', message } : undefined;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || host.startsWith('127.');
}
