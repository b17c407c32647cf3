import { afterAll, beforeAll } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launch } from '../../browser/visit.js';
import { chromium, describeWith } from '../../support/programs.js';
import { describeClients } from '../contract.js';
import { PageServer } from '../support/page-server.js';
import { PAGE_CLIENTS } from './page-clients.js';
import { inBrowser } from './page-reader.js';

describeWith(chromium, 'in Chromium, across origins', (path) => {
  let browser: Browser;
  let pages: PageServer;

  beforeAll(async () => {
    [browser, pages] = await Promise.all([launch(path), PageServer.start()]);
  });

  afterAll(async () => {
    await browser.close();
    await pages[Symbol.asyncDispose]();
  });

  const clients = PAGE_CLIENTS.map((client) =>
    inBrowser(
      client,
      () => browser,
      () => pages.origin,
    ),
  );
  describeClients(clients, { env: () => ({ HERALD_CORS_ORIGINS: pages.origin }) });
});
