import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Herald } from '../support/herald.js';
import { HUB_ENVIRONMENT, TLS_ENVIRONMENT } from '../support/hub.js';
import { INTERNAL } from '../support/metrics.js';
import { freePort } from '../support/redis.js';
import { build, copyContext, type Stage } from './dockerfile.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Nobody in particular, so that the service runs without privileges also where the tests have all. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

/** Milliseconds for packages and a build, on a machine that does more than that. */
const PATIENCE = 600_000;

let folder: string;
let image: Stage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'herald-image-'));
  await copyContext(ROOT.replace(/\/$/, ''), join(folder, 'context'));
  image = await build(await readFile(join(ROOT, 'Dockerfile'), 'utf8'), join(folder, 'context'), folder);
  // Everybody may read, and nobody may write.
  execFileSync('chmod', ['-R', 'a+rX,a-w', folder]);
}, PATIENCE);

afterAll(async () => {
  execFileSync('chmod', ['-R', 'u+w', folder]);
  await rm(folder, { recursive: true });
});

async function startImage(
  more: Readonly<Record<string, string>> = {},
): Promise<{ herald: Herald; isHealthy: boolean }> {
  const [command = '', ...args] = image.command;
  // Its own variables, and no folder that it could write to.
  const env = {
    ...image.environment,
    ...HUB_ENVIRONMENT,
    PORT: String(await freePort()),
    HOME: '/nonexistent',
    TMPDIR: '/nonexistent',
    ...more,
  };
  const options = { env, cwd: image.folder, identity: NOBODY, command: [command, ...args] as [string, ...string[]] };
  const herald = await Herald.start(options);
  const [program = '', ...checkArgs] = image.healthcheck;
  const check = spawnSync(program, checkArgs, {
    cwd: image.folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    ...NOBODY,
  });
  return { herald, isHealthy: check.status === 0 };
}

describe('the image', () => {
  it('says who runs it, which signal ends it, how it is looked after, and what it is', () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(image.stopSignal).toBe('SIGTERM');
    expect(image.healthcheck[0]).toBe('node');
    expect(image.labels.join()).toContain('org.opencontainers.image.licenses="MIT"');
  });

  it('has those packages that are not bundled, and no other', async () => {
    const [, list = ''] =
      /NOT_BUNDLED = \[(.*)\]/.exec(await readFile(join(ROOT, 'vite.server.config.ts'), 'utf8')) ?? [];
    const wanted = [...list.matchAll(/'([^']+)'/g)].map(([, name = '']) => name);
    expect(wanted).toContain('lmdb');
    const packages = await readdir(image.inside('node_modules'));
    expect(packages).toEqual(expect.arrayContaining(wanted));
    expect(packages).not.toContain('rxjs');
    expect(await readdir(image.inside('/var/lib/herald'))).toEqual([]);
  });

  it.each([
    ['as it is', {}],
    ['with TLS and a listener for operators', { ...INTERNAL, ...TLS_ENVIRONMENT, HERALD_ADMIN_INTERNAL: 'true' }],
    ['with traces', { HERALD_TRACES: 'true' }],
  ])(
    'starts %s without privileges and without a file that it may write, is healthy, and ends with 0',
    async (_, more) => {
      const { herald, isHealthy } = await startImage(more);
      await using _herald = herald;
      expect(isHealthy).toBe(true);
      expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    },
  );

  it('keeps a log on a disk that it may write', async () => {
    const disk = await mkdtemp(join(tmpdir(), 'herald-image-disk-'));
    try {
      execFileSync('chmod', ['777', disk]);
      const { herald, isHealthy } = await startImage({ HERALD_JOURNAL: `lmdb:${disk}/log` });
      await using _herald = herald;
      expect(isHealthy).toBe(true);
    } finally {
      await rm(disk, { recursive: true });
    }
  });

  it('is not healthy where nothing answers', async () => {
    const { herald } = await startImage();
    await using _herald = herald;
    const [program = '', ...args] = image.healthcheck;
    const env = { PATH: process.env['PATH'] ?? '', PORT: String(await freePort()) };
    expect(spawnSync(program, args, { cwd: image.folder, env }).status).toBe(1);
  });
});
