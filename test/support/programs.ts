import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { describe, it } from '@jest/globals';

/** A program that some suites need and `npm ci` does not bring. */
export interface Program {
  readonly name: string;
  /** Absent where it is not installed. */
  readonly path: string | undefined;
  /** How to get it. */
  readonly install: string;
}

export const caddy = program(['caddy'], 'apt-get install caddy');
export const cargo = program(['cargo'], 'install Rust 1.95 or newer');
export const chromium = program(['chromium', 'chromium-browser', 'google-chrome'], 'apt-get install chromium');
export const curl = program(['curl'], 'apt-get install curl');
export const go = program(['go'], 'install Go 1.26 or newer');
export const haproxy = program(['haproxy', '/usr/sbin/haproxy'], 'apt-get install haproxy');
export const jdk = program(['javac'], 'apt-get install openjdk-17-jdk-headless');
export const maven = program(['mvn'], 'apt-get install maven');
export const nginx = program(['nginx', '/usr/sbin/nginx'], 'apt-get install nginx');
export const openssl = program(['openssl'], 'apt-get install openssl');
export const php = program(['php'], 'apt-get install php-cli');
export const prlimit = program(['prlimit'], 'apt-get install util-linux');
export const prometheus = program(['prometheus'], 'apt-get install prometheus');
export const promtool = program(['promtool'], 'apt-get install prometheus');
export const python = program(['python3'], 'apt-get install python3-venv');

export const redisCli = program(
  process.env['HERALD_TEST_REDIS']
    ? [process.env['HERALD_TEST_REDIS'].replace(/-server$/, '-cli')]
    : ['redis-cli', 'valkey-cli'],
  'apt-get install redis-tools',
);

/** Which server the suites of Redis run against: `HERALD_TEST_REDIS`, a name or a path such as `valkey-server`. */
export const redisServer = program(
  process.env['HERALD_TEST_REDIS'] ? [process.env['HERALD_TEST_REDIS']] : ['redis-server', 'valkey-server'],
  'apt-get install redis-server',
);
export const strace = program(['strace'], 'apt-get install strace');
export const systemdAnalyze = program(['systemd-analyze'], 'apt-get install systemd');

function program(names: readonly string[], install: string): Program {
  const candidates = names.flatMap((name) =>
    isAbsolute(name) ? [name] : (process.env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, name)),
  );
  return { name: names[0] ?? '', path: candidates.find(isExecutable), install };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * `describe` for suites that need `needed`. Where it is missing they are skipped, which the closing report says aloud;
 * with `CI` set they fail, so that nobody takes a machine without the program for a passing one.
 */
export function describeWith(needed: Program, title: string, body: (path: string) => void): void {
  const { name, path, install } = needed;
  if (path) return describe(title, () => body(path));
  const reason = `${name} is missing: ${install}`;
  if (process.env['CI']) {
    return describe(title, () => {
      it(`needs ${name}`, () => {
        throw new Error(reason);
      });
    });
  }
  describe.skip(`${title} [SKIPPED, ${reason}]`, () => {
    it('is skipped', () => undefined);
  });
}
