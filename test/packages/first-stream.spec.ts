import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { EventStream, send } from '../support/event-stream.js';
import { compiled, exampleIn, freePort } from '../support/examples.js';
import { Herald } from '../support/herald.js';
import { HUB } from '../support/hub.js';
import { Project } from './project.js';
import { Tarballs } from './tarballs.js';

/* The application of docs/nest.md, from its files as they stand there, on the package as it is packed. */

const FILES = ['sessions', 'customer-grants', 'orders.controller', 'main'];

let project: Project;

beforeAll(async () => {
  await using tarballs = await Tarballs.make();
  project = await Project.empty();
  await project.unpack(tarballs, 'herald-nest');
  const { dependencies } = await project.manifestOf('herald-nest');
  const nest = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'];
  await project.link([...Object.keys(dependencies ?? {}), ...nest]);
  for (const name of FILES) {
    // oxlint-disable-next-line no-await-in-loop -- a few small files
    const text = await exampleIn('nest.md', `${name}.ts`);
    const listening = text.replace(
      'listen(3000)',
      "listen(process.env['PORT']);\nconsole.log('the application listens')",
    );
    // oxlint-disable-next-line no-await-in-loop -- see above
    await project.write({ [`${name}.js`]: await compiled(listening) });
  }
});
afterAll(() => project[Symbol.asyncDispose]());

it('gives customers what is about their own orders, and strangers nothing', async () => {
  const port = await freePort();
  await using herald = Herald.spawn({ command: [process.execPath, 'main.js'], cwd: project.path, port });
  await herald.waitForLog(/^the application listens$/m);
  const url = `http://127.0.0.1:${port}`;
  const read = (cookie: string): ReturnType<typeof send> => send(`${url}${HUB}?match=*`, { headers: { cookie } });
  await using ann = new EventStream(await read('session=ann'));
  await using bob = new EventStream(await read('session=bob'));
  expect((await read('')).statusCode).toBe(401);
  for (const customer of ['ann', 'bob']) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await send(
      `${url}/orders/1/status`,
      { method: 'POST', headers: { cookie: 'session=ann', 'content-type': 'application/json' } },
      JSON.stringify({ customer, status: 'sent' }),
    );
    expect(answer.statusCode).toBe(201);
  }
  expect(await ann.take(1)).toMatchObject([{ data: '{"customer":"ann","status":"sent"}' }]);
  expect(await bob.take(1)).toMatchObject([{ data: '{"customer":"bob","status":"sent"}' }]);
  expect(await herald.kill()).toMatchObject({ signal: 'SIGTERM' });
  expect([ann.events, bob.events].map((events) => events.filter(({ event }) => event !== 'herald').length)).toEqual([
    1, 1,
  ]);
});
