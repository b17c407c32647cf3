import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, type EdgeSetting, NOBODY } from './edge.js';
import { caddy, haproxy, nginx, type Program } from './programs.js';

/** The origin of pages that stands in the configurations. */
const ORIGIN = 'https://app.example.com';

/** The last Herald of the two that HAProxy's configuration has. */
const SECOND = '  server herald-2 "${HERALD_2}"';

/** What the tests' own certificates are for. */
const NAME = 'localhost';

/** A proxy for which there is a configuration in `deploy/`. */
export interface EdgeKind {
  readonly name: string;
  readonly program: Program;
  /** It does not speak TLS, which is for somebody before it. */
  readonly isPlain?: boolean;
  /** Writes down the configuration with addresses and files of the test's own, and says how to start it. */
  prepare(setting: EdgeSetting): Promise<Command>;
}

export const NGINX: EdgeKind = {
  name: 'nginx',
  program: nginx,
  async prepare({ folder, ports, hubs, connections = 256, certificate, key, authority, origin = ORIGIN }) {
    const site = join(folder, 'herald.conf');
    await writeFile(
      site,
      replaced(await deployed('nginx/herald.conf'), [
        ['127.0.0.1:8081', hubs[0]],
        ['127.0.0.1:8082', hubs[1] ?? NOBODY],
        [
          '  keepalive 64;',
          [...hubs.slice(2).map((hub) => `  server ${hub} max_fails=1 fail_timeout=1s;`), '  keepalive 64;'].join('\n'),
        ],
        ['listen 80;', `listen 127.0.0.1:${ports.http};`],
        ['listen 443 ssl http2;', `listen 127.0.0.1:${ports.https} ssl http2;`],
        ['/etc/nginx/herald/hub.crt', certificate],
        ['/etc/nginx/herald/hub.key', key],
        ['/var/log/nginx/herald.log', join(folder, 'access.log')],
        [ORIGIN, origin],
        ...(authority
          ? ([
              ['proxy_pass http://', 'proxy_pass https://'],
              ['#proxy_ssl', 'proxy_ssl'],
              ['/etc/nginx/herald/authority.crt', authority],
              ['herald.internal', NAME],
            ] as const)
          : []),
      ]),
    );
    const file = join(folder, 'nginx.conf');
    await writeFile(file, around(folder, site, connections));
    const args = ['-p', folder, '-c', file, '-e', join(folder, 'error.log')];
    return { run: args, check: ['-t', ...args] };
  },
};

export const HAPROXY: EdgeKind = { name: 'HAProxy', program: haproxy, prepare: (setting) => haproxyOf(setting, []) };

/** As behind a balancer that speaks TLS for it. */
export const PLAIN_HAPROXY: EdgeKind = {
  ...HAPROXY,
  name: 'HAProxy without TLS',
  isPlain: true,
  prepare: (setting) => haproxyOf(setting, [[' ssl crt "${HERALD_CERTIFICATE}" alpn h2,http/1.1', '']]),
};

type Replacement = readonly [from: string, to: string];

/** More Heralds than the two that HAProxy's configuration has. */
function thirdOf(hubs: readonly string[]): Replacement {
  return [SECOND, [SECOND, ...hubs.slice(2).map((hub, index) => `  server herald-${index + 3} ${hub}`)].join('\n')];
}

async function haproxyOf(setting: EdgeSetting, more: readonly Replacement[]): Promise<Command> {
  const { folder, ports, hubs, certificate, key, authority, origin = ORIGIN } = setting;
  const pem = join(folder, 'hub.pem');
  await writeFile(pem, (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')));
  const file = join(folder, 'haproxy.cfg');
  // Only root can become somebody else.
  const user: readonly Replacement[] = process.getuid?.() === 0 ? [] : [['  user haproxy\n  group haproxy\n', '']];
  await writeFile(
    file,
    replaced(await deployed('haproxy/haproxy.cfg'), [[ORIGIN, origin], thirdOf(hubs), ...user, ...more]),
  );
  const env = {
    HERALD_1: hubs[0],
    HERALD_2: hubs[1] ?? NOBODY,
    HERALD_HTTP: `127.0.0.1:${ports.http}`,
    HERALD_HTTPS: `127.0.0.1:${ports.https}`,
    HERALD_CERTIFICATE: pem,
    ...(authority && { HERALD_AUTHORITY: authority, HERALD_NAME: NAME }),
  };
  return { run: ['-db', '-f', file], check: ['-c', '-f', file], env };
}

const CADDY: EdgeKind = {
  name: 'Caddy',
  program: caddy,
  async prepare({ folder, ports, hubs, certificate, key, authority, origin = ORIGIN }) {
    const file = join(folder, 'Caddyfile');
    await writeFile(
      file,
      replaced(await deployed('caddy/Caddyfile'), [
        [ORIGIN, origin],
        ...(authority
          ? ([
              ['#tls_', 'tls_'],
              ['/etc/caddy/authority.crt', authority],
              ['herald.internal', NAME],
            ] as const)
          : []),
      ]),
    );
    const env = {
      HERALD_1: hubs[0],
      HERALD_2: hubs[1] ?? NOBODY,
      HERALD_HTTP_PORT: String(ports.http),
      HERALD_HTTPS_PORT: String(ports.https),
      HERALD_BIND: '127.0.0.1',
      HERALD_SITE: '127.0.0.1',
      HERALD_CADDY_ADMIN: 'off',
      HERALD_CERTIFICATE: certificate,
      HERALD_KEY: key,
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder,
    };
    const args = ['--config', file, '--adapter', 'caddyfile'];
    return { run: ['run', ...args], check: ['validate', ...args], env };
  },
};

export const EDGE_KINDS: readonly EdgeKind[] = [NGINX, HAPROXY, CADDY];

function deployed(path: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url)), 'utf8');
}

/** @throws where one of the texts is not there. */
function replaced(text: string, pairs: readonly Replacement[]): string {
  let result = text;
  for (const [from, to] of pairs) {
    if (!result.includes(from)) throw new Error(`the configuration does not say ${from}`);
    result = result.replaceAll(from, to);
  }
  return result;
}

/** What Debian's nginx.conf says around a file of conf.d. */
function around(folder: string, site: string, connections: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections ${connections}; }
http {
  ${temporary.join('\n  ')}
  include ${site};
}
`;
}
