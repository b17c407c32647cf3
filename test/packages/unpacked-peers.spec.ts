import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Project } from './project.js';
import { Tarballs } from './tarballs.js';

/* What a module around a hub says where the package that it takes is not installed, and that this package is all that it takes. */

let tarballs: Tarballs;
let project: Project;

beforeAll(async () => {
  tarballs = await Tarballs.make();
  project = await Project.empty();
  await project.unpack(tarballs, 'herald-nest');
  const { dependencies, peerDependencies, peerDependenciesMeta } = await project.manifestOf('herald-nest');
  const needed = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional);
  await project.link([...Object.keys(dependencies ?? {}), ...needed, '@nestjs/platform-fastify']);
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await tarballs[Symbol.asyncDispose]();
});

/** Starts an application with a hub and a module around it, and ends it. */
function program(entry: string, module: string): string {
  return `
    import 'reflect-metadata';
    import { Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { FastifyAdapter } from '@nestjs/platform-fastify';
    import { HeraldModule } from 'herald-nest';
    const hub = HeraldModule.forRoot({ hubUrl: 'http://localhost/.well-known/mercure' });
    const said = async () => {
      const { ${module} } = await import('herald-nest/${entry}');
      class AppModule {}
      Module({ imports: [hub, ${module}.forRoot({ imports: [hub] })] })(AppModule);
      const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false, abortOnError: false });
      await app.init();
      await app.close();
      return 'started';
    };
    console.log(await said().catch((error) => error.message));`;
}

describe.each([
  [
    'metrics',
    'HeraldMetricsModule',
    'prom-client',
    'HeraldMetricsModule needs the package "prom-client", which is not installed: install it with "npm install prom-client".',
  ],
  ['health', 'HeraldHealthModule', '@nestjs/terminus', "Cannot find package '@nestjs/terminus'"],
])('herald-nest/%s', (entry, module, needed, refusal) => {
  it(`needs ${needed}, and nothing else`, async () => {
    await project.write({ 'main.mjs': program(entry, module) });
    expect(await project.node('main.mjs')).toContain(refusal);
    await project.link([needed]);
    expect(await project.node('main.mjs')).toBe('started\n');
  });
});
