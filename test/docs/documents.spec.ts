import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runCli } from '../support/cli.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, HUB_ENVIRONMENT, Publisher, startHub } from '../support/hub.js';
import { linkPackages } from '../support/packages.js';
import { curl, describeWith } from '../support/programs.js';
import { type Block, blocksOf, DOCUMENTS, type Mark } from './blocks.js';
import { runShell } from './shell.js';

const run = promisify(execFile);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const BLOCKS: readonly Block[] = DOCUMENTS.flatMap(blocksOf);

const TOPIC = 'https://example.com/books/1';

/** An update that the documents name. */
const ID = 'urn:uuid:2431a248-e0fc-4c96-835c-e8b3f4ad7e26';

/** The blocks that are run, of some languages. */
function runnable(...languages: readonly string[]): [place: string, text: string, mark: Mark][] {
  return BLOCKS.flatMap(({ place, language, text, mark }) =>
    mark?.isRun && languages.includes(language) ? [[place, text, mark] as [string, string, Mark]] : [],
  );
}

it('each block of the documents is marked: run by a test, or not run and why', () => {
  expect(BLOCKS.length).toBeGreaterThan(15);
  expect(BLOCKS.flatMap(({ place, mark }) => (mark ? [] : [place]))).toEqual([]);
});

it('each language of a block that is run is one that is run here', () => {
  const known = new Set(['sh', 'js', 'ts', 'json']);
  expect(BLOCKS.filter(({ mark, language }) => mark?.isRun && !known.has(language))).toEqual([]);
});

it.each(runnable('json'))('the JSON at %s can be read', (_, text) => {
  expect(JSON.parse(text)).toEqual(expect.anything());
});

it('the code in the documents compiles', async () => {
  // Within the project, where the packages find those that they ask for.
  const folder = await mkdtemp(join(ROOT, 'dist', 'documents-'));
  try {
    const programs = runnable('js', 'ts').flatMap(([place, text, { isEachLine }]) =>
      (isEachLine ? text.split('\n') : [text]).map((program, index) => ({ place, program, index })),
    );
    expect(programs.length).toBeGreaterThan(0);
    await linkPackages(folder);
    await copyFile(join(ROOT, 'test/docs/surroundings.d.ts'), join(folder, 'surroundings.d.ts'));
    const name = (place: string, index: number): string => `${place.replaceAll(/\W/g, '-')}-${index}.ts`;
    for (const { place, program, index } of programs) {
      // oxlint-disable-next-line no-await-in-loop -- a few small files
      await writeFile(join(folder, name(place, index)), `${program}\nexport {};\n`);
    }
    const files = [...programs.map(({ place, index }) => name(place, index)), 'surroundings.d.ts'];
    const compilerOptions = {
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'dom', 'dom.iterable'],
      types: ['node'],
      typeRoots: ['../../node_modules/@types'],
      experimentalDecorators: true,
      paths: {
        'herald-nest': ['../server/herald/index.d.ts'],
        'herald-nest/*': ['../server/herald/*/index.d.ts'],
      },
      skipLibCheck: true,
      noEmit: true,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const { stdout } = await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});

describeWith(curl, 'the commands in the documents', () => {
  let folder: string;
  let herald: Herald;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'herald-documents-'));
    herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    const keys = { ...HUB_ENVIRONMENT, HERALD_ADMIN_KEY: ADMIN_KEY };
    const token = async (...args: string[]): Promise<string> => (await runCli(['token', ...args], keys)).output.trim();
    using publisher = await Publisher.of(herald);
    const id = await publisher.publish({ topic: TOPIC, data: '{"title":"Dune"}', id: ID });
    env = {
      ...keys,
      PATH: process.env['PATH'] ?? '',
      PORT: '0',
      READ: await token('--subscribe', '*'),
      WRITE: await token('--publish', '*'),
      ADMIN: await token('--admin'),
      URL: `${herald.url}${HUB}?match=${TOPIC}`,
      LAST_ID: id,
      // Nothing is ever asked of a registry: `npx` has to find what is installed.
      npm_config_offline: 'true',
    };
    env['TOKEN'] = env['READ'] ?? '';
    for (const role of ['PUBLISHER', 'SUBSCRIBER'] as const) {
      env[`MERCURE_${role}_JWT_KEY`] = HUB_ENVIRONMENT[`HERALD_${role}_KEY`] ?? '';
    }
    await linkPackages(folder);
    await writeFile(join(folder, 'updates.ndjson'), `${JSON.stringify({ topic: TOPIC, data: { title: 'Dune' } })}\n`);
    await makeJournal(join(folder, 'var/lib/herald'));
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it.each(runnable('sh'))('at %s do what they say', async (_, text, mark) => {
    const here = text
      .replaceAll('http://localhost:8080', herald.url)
      .replaceAll('/var/lib/', `${folder}/var/lib/`)
      // It would build first what is built already.
      .replaceAll('npm start', `node ${ROOT}dist/server/main.js`)
      .replaceAll('herald-hub publish', `herald-hub publish --url ${herald.url}${HUB}`);
    expect(await runShell(here, mark, { cwd: folder, env })).toContain(mark.prints ?? '');
  });
});

/** The journal of a stopped service, with an update that the documents purge. */
async function makeJournal(path: string): Promise<void> {
  const update = {
    position: 1,
    storedAt: 1,
    id: 'urn:1',
    topics: ['https://example.com/users/7'],
    data: '',
    private: true,
  };
  const lines = [{ journal: 'herald', format: 1, entries: 1 }, update].map((line) => JSON.stringify(line));
  await mkdir(dirname(path), { recursive: true });
  await runCli(['journal', 'import', path, '-'], {}, `${lines.join('\n')}\n`);
}
