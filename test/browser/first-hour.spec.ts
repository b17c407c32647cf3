import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { compiled, ExampleProgram, exampleIn, freePort } from '../support/examples.js';
import { type Herald, startHerald } from '../support/herald.js';
import { chromium, describeWith, php, type Program, python } from '../support/programs.js';
import { launch } from './visit.js';

const DOCUMENT = 'first-hour.md';
const NODE: Program = { name: 'node', path: process.execPath, install: '' };

interface Backend {
  readonly name: string;
  readonly program: Program;
  /** The file that is started, and the example's name where that is another. */
  readonly file: string;
  readonly example?: string;
  readonly command: (program: string) => readonly [string, ...string[]];
}

const BACKENDS: readonly Backend[] = [
  { name: 'Node', program: NODE, file: 'server.mjs', command: (node) => [node, 'server.mjs'] },
  { name: 'Nest', program: NODE, file: 'main.mjs', example: 'main.ts', command: (node) => [node, 'main.mjs'] },
  { name: 'Python', program: python, file: 'server.py', command: (path) => [path, 'server.py'] },
  { name: 'PHP', program: php, file: 'server.php', command: (path) => [path, '-S', '127.0.0.1:$PORT', 'server.php'] },
];

describeWith(chromium, 'the first hour', (chromiumPath) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch(chromiumPath);
  });
  afterAll(() => browser.close());

  for (const { name, program, file, example = file, command } of BACKENDS) {
    describeWith(program, `with a backend in ${name}`, (path) => {
      let port: number;
      let herald: Herald;

      beforeAll(async () => {
        port = await freePort();
        const origin = `http://127.0.0.1:${port}`;
        herald = await startHerald({
          env: { HERALD_ANONYMOUS: 'true', HERALD_CORS_ORIGINS: origin, HERALD_MAX_AGE: '1s' },
        });
      });
      afterAll(() => herald[Symbol.asyncDispose]());

      it('comes to a page in two windows, whose streams end again and again, and neither misses anything', async () => {
        const [, write = ''] = await herald.waitForLog(/WRITE=(\S+)/);
        const page = (await exampleIn(DOCUMENT, 'page.html')).replaceAll('http://localhost:8080', herald.url);
        const text = await exampleIn(DOCUMENT, example);
        const files = { 'page.html': page, [file]: example.endsWith('.ts') ? await compiled(text) : text };
        const env = { HUB: `${herald.url}/.well-known/mercure`, WRITE: write };
        await using backend = await ExampleProgram.start(files, command(path), { port, env });

        await using first = await browser.newContext();
        await using second = await browser.newContext();
        const [here, there] = await Promise.all([first.newPage(), second.newPage()]);
        const streams = [here, there].map((one) => one.waitForResponse((answer) => answer.url().startsWith(env.HUB)));
        await Promise.all([here, there].map((one) => one.goto(backend.url)));
        await Promise.all(streams);
        const say = async (title: string): Promise<void> => {
          await here.locator('input').fill(title);
          await here.getByRole('button').click();
          await here.locator('li', { hasText: title }).waitFor();
        };
        await say('Dune');
        await there.locator('li', { hasText: 'Dune' }).waitFor();
        const returns: string[] = [];
        there.on('request', (request) => {
          if (request.url().startsWith(env.HUB)) returns.push(request.url());
        });
        const titles = ['Dune'];
        while (returns.length === 0) {
          const title = `volume ${titles.length}.`;
          titles.push(title);
          await say(title);
        }
        await there.locator('li', { hasText: titles.at(-1) ?? '' }).waitFor();
        expect(await there.locator('li').allTextContents()).toEqual(titles);
        expect(await here.locator('li').allTextContents()).toEqual(titles);
      });
    });
  }
});
