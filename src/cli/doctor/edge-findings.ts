import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:tls';
import { metadataUrlOf } from '../../auth/settings/resource.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { ask } from '../client/event-feed.js';
import { textOf } from '../client/refusal.js';
import { visible } from '../client/visible.js';
import { type Finding, finding } from './finding.js';
import { bearer, FORGED, type Probe } from './probe.js';

/** Milliseconds by which the hub's clock may differ: its header has whole seconds. */
const APART = 3_000;

/** Bytes of an answer that are read. */
const READ = 256 * 1024;

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What the head of a stream's answer says. */
export function headFindings({ headers }: IncomingMessage): Finding[] {
  const { 'herald-process': id, 'content-encoding': encoding, date } = headers;
  return [
    typeof id === 'string'
      ? finding('hub', 'ok', `process ${visible(id)} answers`)
      : finding(
          'hub',
          'warn',
          'the answer lacks Herald-Process',
          'let the proxy pass headers on, and see that this is the hub',
        ),
    encoding === undefined
      ? finding('compression', 'ok', 'streams come as they are')
      : finding(
          'compression',
          'fail',
          `streams are compressed (${visible(encoding)})`,
          'let the proxy compress no text/event-stream',
        ),
    ...(date === undefined ? [] : [ofClock(Date.parse(date))]),
  ];
}

function ofClock(date: number): Finding {
  const apart = Math.abs(date - Date.now());
  const seen = `the hub's clock differs by ${apart > APART ? `${Math.round(apart / 1_000)} s` : 'less than 3 s'} from this machine's`;
  return apart > APART
    ? finding('clock', 'warn', seen, 'let both follow a time server: tokens are valid by the clock')
    : finding('clock', 'ok', seen);
}

/** Which protocol browsers would speak. */
export async function protocolFinding(url: URL): Promise<Finding> {
  if (url.protocol === 'http:') {
    return LOOPBACK.has(url.hostname)
      ? finding('protocol', 'skip', 'HTTP/2: there is no encryption on this machine')
      : finding('protocol', 'warn', 'nothing is encrypted: tokens can be read on the way', 'let the proxy speak https');
  }
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const options = { host, port: Number(url.port || 443), servername: host, ALPNProtocols: ['h2', 'http/1.1'] };
  const socket = connect(options);
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    if (socket.alpnProtocol === 'h2') return finding('protocol', 'ok', 'HTTP/2 is offered');
    return finding(
      'protocol',
      'warn',
      'HTTP/2 is not offered: a browser opens at most six streams for all its tabs',
      'switch HTTP/2 on in the proxy',
    );
  } catch (error) {
    return finding(
      'protocol',
      'fail',
      `no TLS: ${messageOf(error)}`,
      'see that the certificate is valid, and complete',
    );
  } finally {
    socket.destroy();
  }
}

/** Whether the hub knows the address by which its clients have it. */
export async function resourceFinding({ url }: Probe): Promise<Finding> {
  try {
    const response = await ask(new URL(metadataUrlOf(url.href)));
    const { resource } = JSON.parse(await textOf(response, READ)) as { resource?: unknown };
    if (resource === url.href) return finding('address', 'ok', 'the hub knows that it is found here');
    return finding(
      'address',
      'warn',
      `the hub takes itself for ${visible(String(resource)).slice(0, 500)}, and wants tokens for that (aud)`,
      `set HERALD_RESOURCE=${url.href}, or let the proxy pass on Host and X-Forwarded-Proto, and set HERALD_TRUST_PROXY`,
    );
  } catch (error) {
    return finding('address', 'skip', `the hub's metadata can't be read here: ${messageOf(error)}`);
  }
}

/** Whether pages of other sites may read, as is configured. */
export async function corsFinding({ url, config }: Probe): Promise<Finding> {
  const [origin] = config?.server.corsOrigins ?? [];
  if (origin === undefined) return finding('CORS', 'skip', 'no other origin is configured (HERALD_CORS_ORIGINS)');
  // The wildcard is for any.
  const page = origin === '*' ? 'https://herald-doctor.example' : origin;
  const asked = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' };
  try {
    const response = await ask(url, { method: 'OPTIONS', headers: { origin: page, ...asked } });
    response.resume();
    const allowed = response.headers['access-control-allow-origin'];
    if (allowed === page || allowed === '*') return finding('CORS', 'ok', `pages of ${visible(page)} may read`);
  } catch {
    // What follows says it.
  }
  return finding(
    'CORS',
    'fail',
    `pages of ${visible(page)} may not read, although it is configured`,
    'let the proxy pass OPTIONS and Access-Control-… on, and add none of its own',
  );
}

/** Which address the hub takes for the client's, as only an administrator is told. */
export async function clientFinding(probe: Probe, { socket }: IncomingMessage): Promise<Finding> {
  const { config, subject, tokens } = probe;
  const local = plain(socket.localAddress ?? '');
  if (tokens.admin === undefined || subject === undefined || !probe.url.pathname.endsWith(HUB_PATH)) {
    return finding('client address', 'skip', 'only with HERALD_ADMIN_KEY and HERALD_SUBSCRIBER_KEY can it be seen');
  }
  const seen = await addressAt(probe, subject);
  if (seen === undefined)
    return finding('client address', 'skip', 'the stream is not listed here: is /admin passed on?');
  if (seen === FORGED) {
    return finding(
      'client address',
      'fail',
      'the hub believes a client that makes up its address (X-Forwarded-For)',
      'set HERALD_TRUST_PROXY to the addresses or the number of your proxies, or let the outermost one set the header anew',
    );
  }
  if (seen === local) return finding('client address', 'ok', `the hub sees ${visible(seen)}, which this client is`);
  const change = `where that is the proxy's, set HERALD_TRUST_PROXY${config?.server.trustProxy === false ? ', which is off' : ''}`;
  return finding('client address', 'warn', `the hub sees ${visible(seen)}, and this client is ${local}`, change);
}

async function addressAt({ url, tokens }: Probe, subject: string): Promise<string | undefined> {
  const list = new URL(url);
  list.pathname = `${url.pathname.slice(0, -HUB_PATH.length)}/admin/connections`;
  list.searchParams.set('subject', subject);
  try {
    const response = await ask(list, { headers: bearer(tokens.admin) });
    const { connections } = JSON.parse(await textOf(response, READ)) as { connections?: { address?: unknown }[] };
    const address = connections?.[0]?.address;
    return typeof address === 'string' ? plain(address) : undefined;
  } catch {
    return undefined;
  }
}

/** An address of IPv4 as it is written without IPv6 around it. */
function plain(address: string): string {
  return address.replace(/^::ffff:/i, '');
}
