import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { startApplication, writeApplication } from '../nest-application.js';
import { expectHub, publishOverHttp } from '../nest-scene.js';
import { Project } from '../project.js';
import { Tarballs } from '../tarballs.js';

const INSTALLATION = 300_000;
const TYPESCRIPT = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));

/** The ends of both ranges that `herald-nest` asks for. */
const NESTS = [
  ['the newest Nest 12', 'Fastify', '^12.0.1'],
  ['the newest Nest 12', 'Express', '^12.0.1'],
  ['the oldest Nest 12', 'Fastify', '12.0.1'],
  ['the newest Nest 11', 'Fastify', '^11.2.1'],
  ['the oldest Nest 11', 'Express', '11.2.1'],
] as const;

/** What a strict project says to TypeScript. */
const COMPILER_OPTIONS = {
  strict: true,
  module: 'nodenext',
  target: 'es2022',
  types: ['node'],
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  // Declarations of the package are looked into as well, without those of what is optional.
  skipLibCheck: false,
  noEmit: true,
};

let tarballs: Tarballs;

beforeAll(async () => {
  tarballs = await Tarballs.make();
});
afterAll(() => tarballs[Symbol.asyncDispose]());

describe.each(NESTS)('herald-nest in an application on %s and %s', (_, framework, nest) => {
  let project: Project;
  let installed: string;

  beforeAll(async () => {
    project = await Project.empty();
    installed = await project.install(
      tarballs.pathOf('herald-nest'),
      `@nestjs/common@${nest}`,
      `@nestjs/core@${nest}`,
      `@nestjs/platform-${framework.toLowerCase()}@${nest}`,
      'reflect-metadata@^0.2.0',
      'rxjs@^7.8.0',
      '@types/node@20',
    );
    await writeApplication(project, framework);
  }, INSTALLATION);
  afterAll(() => project[Symbol.asyncDispose]());

  it('shares the Nest that is there', async () => {
    expect(installed).not.toMatch(/ERESOLVE/);
    const found = await project.command('npm', ['ls', '--all', '--json', '@nestjs/core', 'rxjs', 'reflect-metadata']);
    for (const name of ['@nestjs/core', 'rxjs', 'reflect-metadata']) expect(versionsOf(name, found).size).toBe(1);
  });

  it('runs the application of its README', async () => {
    await using application = await startApplication(project);
    await expectHub(application);
    expect(await publishOverHttp(application)).toBe(200);
  });

  it('compiles in a strict project', async () => {
    await project.write({ 'tsconfig.json': JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['main.ts'] }) });
    const said = await project
      .command(process.execPath, [TYPESCRIPT, '-p', '.'])
      .catch((error: { stdout: string }) => error.stdout);
    // What other packages declare is theirs.
    expect(said.split('\n').filter((line) => /^(?:main|node_modules\/herald-)/.test(line))).toEqual([]);
  });
});

/** The versions of a package that `npm ls` has found anywhere. */
function versionsOf(name: string, found: string): Set<string> {
  const versions = new Set<string>();
  JSON.parse(found, (key, value: { version?: string }) => {
    if (key === name && value.version !== undefined) versions.add(value.version);
    return value;
  });
  return versions;
}
