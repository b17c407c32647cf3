import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { runCli } from '../support/cli.js';
import { startHerald } from '../support/herald.js';
import { internalUrlOf, INTERNAL, Scrape } from '../support/metrics.js';
import { describeWith, redisServer } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis.js';
import { longestEnd, secondsOf } from './grace.js';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address: string } | null>>;
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const require = createRequire(import.meta.url);

const FOLDER = fileURLToPath(new URL('../../deploy/compose', import.meta.url));
const TEXT = await readFile(join(FOLDER, 'compose.yaml'), 'utf8');
const COMPOSE = parse(TEXT, { merge: true }) as Compose;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'herald-compose-'));
  await cp(join(FOLDER, 'make-secrets.sh'), join(folder, 'make-secrets.sh'));
  execFileSync(join(folder, 'make-secrets.sh'), { stdio: 'pipe' });
});
afterEach(() => rm(folder, { recursive: true }));

function service(name: string): Service {
  const found = COMPOSE.services[name];
  if (!found) throw new Error(`there is no service ${name}`);
  return found;
}

function addressOf(name: string): string | undefined {
  const { networks } = service(name);
  return 'edge' in networks ? networks.edge?.ipv4_address : undefined;
}

/** The environment of a Herald, with what this machine has in the place of what the containers have. */
async function environmentOf(name: string): Promise<Record<string, string>> {
  const text = JSON.stringify(service(name).environment)
    .replaceAll('/run/secrets/', `${folder}/secrets/`)
    .replaceAll(/\$\{HERALD_RESOURCE:\?[^}]*\}/g, 'https://hub.example.com/.well-known/mercure');
  return { NODE_ENV: 'production', HOST: '127.0.0.1', ...(JSON.parse(text) as Record<string, string>) };
}

describe('compose.yaml', () => {
  it('is what the Compose Specification says', async () => {
    const path = join(dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json');
    const { $schema: _, ...schema } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    validate(COMPOSE);
    expect(validate.errors).toBeNull();
    expect(validate({ ...COMPOSE, services: { a: { image: 'b', portz: [] } } })).toBe(false);
  });

  it('mounts what is there, or what its script makes, but the certificate', async () => {
    const files = Object.values(COMPOSE.secrets).map(({ file }) => file);
    const made = (await readdir(join(folder, 'secrets'))).map((name) => `secrets/${name}`);
    expect([...made, 'secrets/certificate'].toSorted()).toEqual(files.toSorted());
    for (const { secrets = [], volumes = [] } of Object.values(COMPOSE.services)) {
      expect(Object.keys(COMPOSE.secrets)).toEqual(expect.arrayContaining([...secrets]));
      for (const [path = ''] of volumes.map((volume) => volume.split(':', 1))) {
        if (path.startsWith('.')) expect((await stat(join(FOLDER, path))).isFile()).toBe(true);
      }
    }
    const text = JSON.stringify(COMPOSE.services);
    for (const [, name] of text.matchAll(/\/run\/secrets\/(\w+)/g))
      expect(COMPOSE.secrets).toHaveProperty([name ?? '']);
  });

  it('has the folder of secrets for its owner alone, and git leaves it out', async () => {
    expect((await stat(join(folder, 'secrets'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'secrets/journal'))).mode & 0o777).toBe(0o644);
    expect(await readFile(join(FOLDER, '../../.gitignore'), 'utf8')).toContain('deploy/compose/secrets\n');
  });

  it('has HAProxy find the Heralds, and the Heralds trust it alone', async () => {
    const { environment = {} } = service('haproxy');
    const port = (herald: Service): string => herald.environment?.['PORT'] ?? '8080';
    for (const [index, name] of ['herald-1', 'herald-2'].entries()) {
      expect(environment[`HERALD_${index + 1}`]).toBe(`${addressOf(name)}:${port(service(name))}`);
      expect(service(name).environment?.['HERALD_TRUST_PROXY']).toBe(addressOf('haproxy'));
    }
    const proxy = await readFile(join(FOLDER, '../haproxy/haproxy.cfg'), 'utf8');
    for (const name of Object.keys(environment)) expect(proxy).toContain(name);
  });

  it('leaves operators’ ports to this machine', () => {
    for (const name of ['herald-1', 'herald-2']) {
      const [, port] = service(name).environment?.['HERALD_INTERNAL_LISTEN']?.split(':') ?? [];
      expect(service(name).ports).toEqual([expect.stringMatching(RegExp(`^127\\.0\\.0\\.1:\\d+:${port}$`))]);
    }
    expect(service('redis').ports).toBeUndefined();
  });

  it('gives a Herald time to end', () => {
    const { environment = {}, stop_grace_period: grace } = service('herald-1');
    expect(secondsOf(grace)).toBeGreaterThan(longestEnd(environment));
  });
});

describeWith(redisServer, 'what compose.yaml says', (program) => {
  it('starts Redis, and Heralds on it that are ready', async () => {
    const [, ...args] = service('redis').command ?? [];
    const lines = args.join(' ').replaceAll('/run/secrets/', `${folder}/secrets/`).split(/ ?--/).slice(1);
    await using redis = await RedisServer.start(program, {
      configuration: lines.filter((line) => !line.startsWith('appendonly')),
    });
    const journal = join(folder, 'secrets/journal');
    await writeFile(journal, (await readFile(journal, 'utf8')).replace('@redis:6379', `@127.0.0.1:${redis.port}`));
    for (const name of ['herald-1', 'herald-2']) {
      const env = await environmentOf(name);
      const { status, output } = await runCli(['check'], {
        ...env,
        HERALD_INTERNAL_LISTEN: `127.0.0.1:${await freePort()}`,
      });
      expect([status, output]).toEqual([0, expect.not.stringMatching(/^(?:warn|fail)/m)]);
      await using herald = await startHerald({ env: { ...env, ...INTERNAL } });
      const url = await internalUrlOf(herald);
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect((await Scrape.of(`${url}/metrics`)).value('herald_journal_available')).toBe(1);
      expect(herald.logs()).not.toMatch(/"level":(?:40|50|60)/);
    }
  });
});
