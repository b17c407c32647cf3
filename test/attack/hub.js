import { spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HUB_CORE = '0';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RESOURCE = 'https://hub.example/.well-known/mercure';
const newKey = () => randomBytes(32).toString('hex');
const KEYS = { publish: newKey(), subscribe: newKey(), admin: newKey() };
const CERTIFICATES = new URL('../support/certificates/', import.meta.url);

export const HUB = '/.well-known/mercure';

/** Whether processes can be put on a core each. */
export const canPin = spawnSync('taskset', ['--version']).status === 0;

/** A token for everything, unless topics are given. */
export function token(action, { topics = [{ match: '*' }], ...more } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const detail = { type: 'https://mercure.rocks/authorization-detail', actions: [action], topics };
  const claims = {
    iss: 'herald',
    sub: action,
    aud: RESOURCE,
    iat: now,
    exp: now + 3600,
    authorization_details: [detail],
    ...more,
  };
  const signed = [{ alg: 'HS256', typ: 'at+jwt' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', KEYS[action]).update(signed).digest('base64url')}`;
}

/** The service with a heap of 512 MB, as an operator runs it, with readers that need no token. */
export class Hub {
  output = '';

  /** @param isSecure whether it speaks TLS: HTTP/1.1 and HTTP/2. */
  constructor(env, isSecure) {
    const [command, ...args] = [
      ...(canPin ? ['taskset', '--cpu-list', HUB_CORE] : []),
      process.execPath,
      '--max-old-space-size=512',
      'dist/server/main.js',
    ];
    this.child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: '0',
        LOG_LEVEL: 'info',
        HERALD_ANONYMOUS: 'true',
        HERALD_RESOURCE: RESOURCE,
        HERALD_PUBLISHER_KEY: KEYS.publish,
        HERALD_SUBSCRIBER_KEY: KEYS.subscribe,
        HERALD_ADMIN_KEY: KEYS.admin,
        ...(isSecure && {
          HERALD_TLS_CERT_FILE: fileURLToPath(new URL('first.crt', CERTIFICATES)),
          HERALD_TLS_KEY_FILE: fileURLToPath(new URL('first.key', CERTIFICATES)),
        }),
        ...env,
      },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.output = (this.output + text).slice(-20_000)));
    }
  }

  /** Resolves once it listens. */
  async ready() {
    for (;;) {
      const port = /Herald is at https?:\/\/[^:]+:(\d+)/.exec(this.output)?.[1];
      if (port) return (this.port = Number(port));
      if (!this.isAlive) throw new Error(`the hub did not start: ${this.output}`);
      // oxlint-disable-next-line no-await-in-loop -- until it is there
      await once(this.child.stdout, 'data');
    }
  }

  get isAlive() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Megabytes: the most that it has had resident so far. */
  get peak() {
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(this.proc('status'))?.[1] ?? 0) / 1024);
  }

  /** Seconds of CPU that it has used so far. */
  get cpu() {
    const stat = this.proc('stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async stop() {
    if (!this.isAlive) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }

  proc(name) {
    try {
      return readFileSync(`/proc/${this.child.pid}/${name}`, 'utf8');
    } catch {
      return '';
    }
  }
}
