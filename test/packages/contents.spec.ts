import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { builtPackage, type PackageName, PACKAGES } from '../support/packages.js';
import { Project } from './project.js';
import { Tarballs } from './tarballs.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** All that a tarball may hold. */
const CONTENTS: Readonly<Record<PackageName, readonly RegExp[]>> = {
  'herald-hub': [
    /^server\/[\w.-]+\.js(\.map)?$/,
    /^server\/storage\/(journal|state)\/redis\/lua\/[\w-]+\.lua$/,
    /^server\/license\.md$/,
    /^client\/(index\.html|favicon\.svg|license\.md)$/,
    /^client\/assets\/[\w-]+\.(js|css)$/,
    /^client\/herald\/[\w-]+\.js(\.map)?$/,
    /^sbom\.json$/,
  ],
  'herald-hub-client': [
    /^browser\/[\w-]+\.js(\.map)?$/,
    /^types\/((adapters|share)\/)?[\w-]+\.d\.ts$/,
    /^node\/(publisher|shared)\/(errors\/)?[\w-]+(\.js|\.js\.map|\.d\.ts)$/,
  ],
  'herald-nest': [
    /^lib\/(access|auth|config|contracts|herald|hub|shared|storage|streams)\/([\w-]+\/)*[\w.-]+(\.js|\.js\.map|\.d\.ts)$/,
    /^lib\/storage\/(journal|state)\/redis\/lua\/[\w-]+\.lua$/,
    /^client\/(index\.html|favicon\.svg|license\.md)$/,
    /^client\/assets\/[\w-]+\.(js|css)$/,
    // Its source maps are in herald-hub-client.
    /^client\/herald\/[\w-]+\.js$/,
  ],
};

/** What each has besides. */
const COMMON = [/^package\.json$/, /^README\.md$/, /^LICENSE$/];

/** Bytes that a tarball may have: what has come in by mistake makes it a multiple of that. */
const LARGEST: Readonly<Record<PackageName, number>> = {
  'herald-hub': 4_000_000,
  'herald-hub-client': 250_000,
  'herald-nest': 1_300_000,
};

let tarballs: Tarballs;

beforeAll(async () => {
  tarballs = await Tarballs.make();
});
afterAll(() => tarballs[Symbol.asyncDispose]());

describe.each(PACKAGES)('the tarball of %s', (name) => {
  const read = (path: string): Promise<string> => readFile(join(builtPackage(name), path), 'utf8');

  it('holds what the package is made of, and nothing else', () => {
    const paths = tarballs.of(name).files.map(({ path }) => path);
    const known = [...CONTENTS[name], ...COMMON];
    expect(paths.filter((path) => !known.some((kind) => kind.test(path)))).toEqual([]);
    expect(known.filter((kind) => !paths.some((path) => kind.test(path)))).toEqual([]);
    expect(paths.filter((path) => /\.spec\./.test(path))).toEqual([]);
    expect(tarballs.of(name).size).toBeLessThan(LARGEST[name]);
  });

  it('says what it is, as the project does', async () => {
    const manifest = JSON.parse(await read('package.json')) as Record<string, unknown>;
    const project = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ name, version: project['version'], license: 'MIT', engines: project['engines'] });
    expect(manifest).not.toHaveProperty('private');
    expect(manifest).not.toHaveProperty('scripts');
    expect(await read('LICENSE')).toBe(await readFile(join(ROOT, 'LICENSE'), 'utf8'));
    expect(await read('README.md')).toMatch(new RegExp(`^# ${name}\n`));
  });

  it('knows nothing of the machine that has made it', async () => {
    const files = (await readdir(builtPackage(name), { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')));
    expect(files.filter((_, index) => texts[index]?.includes(ROOT))).toEqual([]);
  });

  it('has source maps that lead nowhere else', async () => {
    const maps = tarballs.of(name).files.filter(({ path }) => path.endsWith('.map'));
    for (const { path } of maps) {
      const { sources, sourcesContent } = JSON.parse(await read(path)) as {
        sources: readonly string[];
        sourcesContent?: readonly (string | null)[];
      };
      const outside = sources.filter((source) => join(dirname(path), source).startsWith('..'));
      // The page's own client library is served as it was built, with its sources in it.
      expect([path, path.startsWith('client/') ? [] : outside]).toEqual([path, []]);
      const isWhole = sourcesContent?.length === sources.length && sourcesContent.every((text) => Boolean(text));
      expect([path, isWhole]).toEqual([path, name !== 'herald-hub' || path.startsWith('client/')]);
    }
    expect(maps.length).toBeGreaterThan(5);
  });

  it.each([
    ['publint', ['publint/src/cli.js', 'run', '--strict']],
    ['attw', ['@arethetypeswrong/cli/dist/index.js', '--profile', 'esm-only']],
  ])('has nothing that %s objects to', async (_, [program = '', ...args]) => {
    await using project = await Project.empty();
    const tool = join(ROOT, 'node_modules', program);
    const said = await project
      .command(process.execPath, [tool, ...args, tarballs.pathOf(name)])
      .catch((error: { stdout: string; stderr: string }) => `objects: ${error.stdout}${error.stderr}`);
    expect(said).not.toContain('objects: ');
  });
});

it('the module and the service ask for the versions that are tested here, and the client library for nothing', async () => {
  const versions = await Promise.all(
    PACKAGES.map(async (name) => {
      const manifest = JSON.parse(await readFile(join(builtPackage(name), 'package.json'), 'utf8')) as {
        dependencies?: Record<string, string>;
      };
      return [name, manifest.dependencies] as const;
    }),
  );
  const asked = Object.fromEntries(versions);
  expect(asked['herald-hub-client']).toBeUndefined();
  expect(Object.keys(asked['herald-hub'] ?? {})).toEqual([
    '@fastify/static',
    'ioredis',
    'lmdb',
    'pino',
    'pino-pretty',
    'reflect-metadata',
  ]);
  expect(
    Object.keys(asked['herald-nest'] ?? {}).filter((name) => /^(?:@nestjs\/|rxjs|ioredis|lmdb)/.test(name)),
  ).toEqual([]);
  const all = Object.values(asked).flatMap((one) => Object.values(one ?? {}));
  expect(all.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});
