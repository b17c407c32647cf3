import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { exampleIn } from '../../support/examples.js';
import type { Herald } from '../../support/herald.js';
import { HUB, Publisher, startHub } from '../../support/hub.js';
import { chromium, describeWith } from '../../support/programs.js';
import { launch } from '../../browser/visit.js';
import { Project } from '../project.js';
import { Tarballs } from '../tarballs.js';

const INSTALLATION = 300_000;
const TOPIC = 'https://example.com/books/1';

const PAGE = '<!doctype html><div id="app"></div><script type="module" src="/main.tsx"></script>';

/** Below a provider, as the README says. */
const MAIN = `
import { createRoot } from 'react-dom/client';
import { HeraldProvider } from 'herald-hub-client/react';
import { Book } from './book.tsx';
const url = new URLSearchParams(location.search).get('hub')!;
createRoot(document.getElementById('app')!).render(<HeraldProvider options={{ url }}><Book /></HeraldProvider>);
`;

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** Serves a folder of files. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(folder, pathname === '/' ? 'index.html' : pathname);
    readFile(path).then(
      (content) => response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' }).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

describeWith(chromium, 'herald-hub-client in a project of Vite and React', (path) => {
  let project: Project;
  let browser: Browser;

  beforeAll(async () => {
    await using tarballs = await Tarballs.make();
    project = await Project.empty();
    const tarball = tarballs.pathOf('herald-hub-client');
    await project.install(tarball, 'react@19', 'react-dom@19', 'vite@8');
    await project.write({
      'index.html': PAGE,
      'main.tsx': MAIN,
      'book.tsx': await exampleIn('packages/herald-hub-client.md', 'book.tsx'),
      'tsconfig.json': '{"compilerOptions":{"jsx":"react-jsx"}}',
    });
    browser = await launch(path);
  }, INSTALLATION);
  afterAll(async () => {
    await browser.close();
    await project[Symbol.asyncDispose]();
  });

  it('is built, and shows in Chromium what is published', async () => {
    const built = await project.command('npx', ['--no', 'vite', 'build']);
    expect(built).not.toMatch(/warn|error/i);
    const server = await serve(join(project.path, 'dist'));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using herald: Herald = await startHub({ HERALD_CORS_ORIGINS: origin });
    using publisher = await Publisher.of(herald);
    await using context = await browser.newContext();
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${origin}/?hub=${encodeURIComponent(herald.url + HUB)}`);
    await page.getByText('live').waitFor();
    await publisher.publish({ topic: TOPIC, data: '{"title":"Dune"}' });
    await page.getByText('Dune').waitFor();
    expect(problems).toEqual([]);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
});
