import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openStream, send, textOf } from '../support/event-stream.js';
import { Herald } from '../support/herald.js';
import { form, HUB, PUBLISHER_KEY, publisherToken, startHub } from '../support/hub.js';
import { FRAMEWORKS, startApplication, writeApplication } from './nest-application.js';
import { expectHub, publishOverHttp } from './nest-scene.js';
import { Project } from './project.js';
import { Tarballs } from './tarballs.js';

/* What the tarballs hold, outside the checkout, with those packages of it that they ask for and no others. */

let tarballs: Tarballs;

beforeAll(async () => {
  tarballs = await Tarballs.make();
});
afterAll(() => tarballs[Symbol.asyncDispose]());

describe('herald-hub-client, with nothing beside it', () => {
  let hub: Herald;
  let project: Project;
  let env: Record<string, string>;

  beforeAll(async () => {
    hub = await startHub();
    env = { HUB: hub.url + HUB, TOKEN: await publisherToken() };
    project = await Project.empty();
    await project.unpack(tarballs, 'herald-hub-client');
  });
  afterAll(async () => {
    await hub[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });

  it('publishes and reads in Node', async () => {
    await project.write({
      'main.mjs': `
        import { createHeraldClient } from 'herald-hub-client';
        import { Publisher } from 'herald-hub-client/publisher';
        const herald = createHeraldClient({ url: process.env.HUB });
        const publisher = new Publisher({ url: process.env.HUB, token: process.env.TOKEN });
        const read = new Promise((resolve) => {
          herald.subscribe('urn:t', ({ data }) => resolve(data), {
            onLive: () => publisher.publish({ topic: 'urn:t', data: { title: 'Dune' } }),
          });
        });
        console.log(JSON.stringify(await read));
        await publisher.close();
        herald.dispose();`,
    });
    expect(await project.node('main.mjs', env)).toBe('{"title":"Dune"}\n');
  });

  it('can be required by CommonJS', async () => {
    await project.write({
      'main.cjs': `
        const { createHeraldClient } = require('herald-hub-client');
        const { resumeFrom } = require('herald-hub-client/resume');
        const { eventSource } = require('herald-hub-client/eventsource');
        const { Publisher } = require('herald-hub-client/publisher');
        console.log([createHeraldClient, resumeFrom, eventSource, Publisher].map((one) => typeof one).join());
        const publisher = new Publisher({ url: process.env.HUB, token: process.env.TOKEN });
        publisher.publish({ topic: 'urn:t', id: 'urn:required' }).then((id) => publisher.close().then(() => console.log(id)));`,
    });
    expect(await project.node('main.cjs', env)).toBe('function,function,function,function\nurn:required\n');
  });

  it('has an entry point for each library, once that is there', async () => {
    await project.link(['react', 'vue', 'rxjs']);
    await project.write({
      'adapters.mjs': `
        import { HeraldProvider, useSubscription } from 'herald-hub-client/react';
        import { useLatest } from 'herald-hub-client/vue';
        import { fromHerald } from 'herald-hub-client/rxjs';
        console.log([HeraldProvider, useSubscription, useLatest, fromHerald].map((one) => typeof one).join());`,
    });
    expect(await project.node('adapters.mjs')).toBe('function,function,function,function\n');
  });
});

describe('herald-hub', () => {
  let project: Project;

  beforeAll(async () => {
    project = await Project.empty();
    await project.unpack(tarballs, 'herald-hub');
    await project.link(Object.keys((await project.manifestOf('herald-hub')).dependencies ?? {}));
  });
  afterAll(() => project[Symbol.asyncDispose]());

  const spawn = (env: Record<string, string> = {}): Herald =>
    Herald.spawn({ command: [process.execPath, 'node_modules/herald-hub/server/start.js'], cwd: project.path, env });

  it('serves the page, the client library and the hub', async () => {
    await using hub = spawn();
    const [, url = ''] = await hub.waitForLog(/Herald is at (http:[^"\s]+)/);
    hub.url = url.replace('localhost', '127.0.0.1');
    for (const [path, part] of [
      ['/', '<!doctype html>'],
      ['/herald/client.js', 'createHeraldClient'],
      ['/herald/worker.js', 'connect'],
    ] as const) {
      const answer = await send(hub.url + path);
      expect([path, answer.statusCode, (await textOf(answer)).includes(part)]).toEqual([path, 200, true]);
    }
    const [, read = ''] = await hub.waitForLog(/READ=(\S+)/);
    const [, write = ''] = await hub.waitForLog(/WRITE=(\S+)/);
    const headers = { authorization: `Bearer ${read}` };
    await using stream = await openStream(`${hub.url}${HUB}?match=urn:t`, { headers });
    const published = await send(
      hub.url + HUB,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${write}`, 'content-type': 'application/x-www-form-urlencoded' },
      },
      form({ topic: 'urn:t', data: 'hello' }),
    );
    expect(published.statusCode).toBe(200);
    await stream.until(({ events }) => events.some(({ data }) => data === 'hello'));
    expect(await hub.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it.each(['lmdb:journal', 'redis://127.0.0.1:1'])('has what %s needs', async (journal) => {
    await using hub = spawn({ HERALD_JOURNAL: journal });
    const [found] = await hub.waitForLog(/Herald is at|ECONNREFUSED/);
    expect(found).toBe(journal.startsWith('lmdb') ? 'Herald is at' : 'ECONNREFUSED');
  });

  it('is the command line where it is given arguments, by both of its names', async () => {
    const { version, bin = {} } = await project.manifestOf('herald-hub');
    const programs = ['herald', 'herald-hub'].map((name) => `node_modules/herald-hub/${bin[name]}`);
    const env = { HERALD_PUBLISHER_KEY: PUBLISHER_KEY };
    for (const program of programs) {
      expect(await project.command(process.execPath, [program, '--version'])).toBe(`herald ${version}\n`);
      expect(await project.command(process.execPath, [program, 'token', '--publish', '*'], env)).toMatch(/^ey/);
    }
  });
});

describe.each(FRAMEWORKS)('herald-nest on %s', (framework) => {
  let project: Project;

  beforeAll(async () => {
    project = await Project.empty();
    await project.unpack(tarballs, 'herald-nest');
    const { dependencies, peerDependencies, peerDependenciesMeta } = await project.manifestOf('herald-nest');
    const needed = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional);
    await project.link([...Object.keys(dependencies ?? {}), ...needed, `@nestjs/platform-${framework.toLowerCase()}`]);
    await writeApplication(project, framework);
  });
  afterAll(() => project[Symbol.asyncDispose]());

  it('runs the application of its README, beside routes of its own that take JSON', async () => {
    await using application = await startApplication(project);
    await expectHub(application);
    expect(await publishOverHttp(application)).toBe(200);
    expect(await application.kill('SIGTERM')).toMatchObject({ signal: 'SIGTERM' });
  });

  it.each([
    ['lmdb', 'lmdb:journal'],
    ['ioredis', 'redis://127.0.0.1:1'],
  ])('says that a journal needs %s, where that is not installed', async (name, journal) => {
    await expect(startApplication(project, { JOURNAL: journal })).rejects.toThrow(
      `This journal needs the package "${name}", which is not installed: install it with "npm install ${name}".`,
    );
  });

  it('has an entry point for CommonJS', async () => {
    await project.write({ 'main.cjs': `console.log(typeof require('herald-nest').HeraldModule.forRoot);` });
    expect(await project.node('main.cjs')).toBe('function\n');
  });

  it('can be imported by each of its entry points', async () => {
    const { exports, peerDependenciesMeta } = await project.manifestOf('herald-nest');
    const paths = Object.keys(exports).filter((path) => path !== './package.json');
    const present = `@nestjs/platform-${framework.toLowerCase()}`;
    await project.link(Object.keys(peerDependenciesMeta ?? {}).filter((name) => name !== present));
    const imports = paths.map((path) => `await import('herald-nest${path.slice(1)}');`);
    await project.write({ 'entries.mjs': `${imports.join('\n')}\nconsole.log('all');` });
    expect(await project.node('entries.mjs')).toBe('all\n');
  });
});
