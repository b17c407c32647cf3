import { expect, it } from '@jest/globals';
import { startHerald } from '../support/herald.js';
import { HUB, Publisher, publisherToken, startHub, SUBSCRIBER_KEY, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { connect, looks, MESSAGE, row, rows, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';

const REFUSED = 'The token was refused (expired, or from another key). Paste another one.';

describeWith(chromium, 'who somebody is in the console', (path) => {
  const on = stage(path, () => startHub());

  const visit = (query: string): Promise<Visit> => Visit.to(`${on.herald.url}/#/console${query}`, on.browser);

  it('stays a developer when the server has started anew, with keys of its own', async () => {
    const first = await startHerald();
    await using visitor = await Visit.to(`${first.url}/#/console?topic=*`, on.browser);
    const { page } = visitor;
    await page.getByRole('button', { name: 'Developer token' }).click();
    await looks(page, 'open');
    const { port } = first;
    await first.kill('SIGKILL');
    await page.locator('.row[data-mark="lost"]').waitFor();
    await using second = await startHerald({ port });
    await looks(page, 'open');
    expect(second.url).toBe(first.url);
    expect(await page.locator('.problem').textContent()).toBe('');
    await page.locator('#publish-send').click();
    await row(page, 'hello').waitFor();
    expect(await page.locator('#publish-outcome').textContent()).toMatch(/^Published as/);
  });

  it('says that a token was refused, and takes another one there', async () => {
    await using visitor = await visit(`?topic=${TOPIC}a`);
    const { page } = visitor;
    const past = await subscriberToken({ expires: new Date(Date.now() - 60_000) });
    await connect(page, past, '', 'failed');
    await page.locator('.problem', { hasText: REFUSED }).waitFor();
    expect(await page.getByRole('button', { name: 'Try now' }).count()).toBe(0);
    // The way to give another one is there, and nothing has to be ended before.
    await connect(page, await subscriberToken({ subject: 'ann' }), '');
    expect(await page.locator('.problem').textContent()).toBe('');
    expect(await page.locator('.facts').textContent()).toMatch(/^Asann/);
  });

  it('is no loss of the connection when one disconnects oneself', async () => {
    await using visitor = await visit(`?topic=${TOPIC}own&panel=charts`);
    const { page } = visitor;
    await connect(page, await subscriberToken({ subject: 'ann' }), '');
    await on.publisher.publish({ topic: `${TOPIC}own`, data: '"one"' });
    await row(page, 'one').waitFor();
    await page.locator('#console-disconnect').click();
    await page.locator('.row[data-mark="left"]', { hasText: 'You disconnected' }).waitFor();
    expect(await page.locator('.row[data-mark="lost"]').count()).toBe(0);
    expect(await page.locator('#chart-marks').textContent()).toContain('(high lines): 0;');
  });

  it('has a section of the log for each connection, in which what comes again is shown again', async () => {
    await using visitor = await visit(`?topic=${TOPIC}sections&topic=/x/*&since=earliest`);
    const { page } = visitor;
    const token = await subscriberToken({ subject: 'ann' });
    for (const data of ['"s 1"', '"s 2"']) await on.publisher.publish({ topic: `${TOPIC}sections`, data });
    await connect(page, token, '');
    await rows(page, '"s ', 2);
    await page.locator('#console-disconnect').click();
    await connect(page, token, '');
    await rows(page, '"s ', 4);
    expect(await page.locator('.row[data-mark="connected"]').allTextContents()).toEqual([
      'Connected as ann',
      'Connected as ann',
    ]);
    await page.locator('#log-clear').click();
    await page.locator('#console-disconnect').click();
    await connect(page, token, '');
    await rows(page, '"s ', 2);
  });

  it('shows nothing of what somebody else has read', async () => {
    await using visitor = await visit(`?topic=${TOPIC}secret`);
    const { page } = visitor;
    await connect(page, await subscriberToken({ subject: 'ann' }), '');
    await on.publisher.publish({ topic: `${TOPIC}secret`, private: 'on', data: '"for ann"' });
    await row(page, 'for ann').click();
    await page.locator('#detail-data', { hasText: 'for ann' }).waitFor();
    await page.locator('#console-disconnect').click();
    // It is still what she has read.
    expect(await row(page, 'for ann').count()).toBe(1);
    await page.getByRole('button', { name: 'Anonymous' }).click();
    await looks(page, 'open');
    await on.publisher.publish({ topic: `${TOPIC}secret`, data: '"for all"' });
    await row(page, 'for all').waitFor();
    expect(await page.locator(MESSAGE).count()).toBe(1);
    expect(await page.locator('#console').textContent()).not.toContain('for ann');
    expect(await page.locator('.row[data-mark="connected"]').textContent()).toBe(
      'Connected as Anonymous. What somebody else had read was cleared',
    );
  });

  it('says that a token for publishing is bad, and does not take another one instead', async () => {
    await using visitor = await visit(`?topic=${TOPIC}publish`);
    const { page } = visitor;
    const posts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith(HUB))
        posts.push(request.headers()['authorization'] ?? '');
    });
    const past = await publisherToken({ expires: new Date(Date.now() - 60_000) });
    // It might publish, if it were asked to.
    const reading = await subscriberToken({ subject: 'ann' });
    await connect(page, reading, past);
    await page.locator('#publish-send').click();
    await page.locator('#publish-outcome.notice', { hasText: `Not published: ${REFUSED}` }).waitFor();
    expect(new Set(posts)).toEqual(new Set([`Bearer ${past}`]));
    await page.locator('#console-disconnect').click();
    await connect(page, reading, await publisherToken());
    expect(await page.locator('#publish-outcome').textContent()).toBe('');
    await page.locator('#publish-send').click();
    await page.locator('#publish-outcome', { hasText: 'Published as' }).waitFor();
  });

  it('is not called anonymous with a token that names nobody', async () => {
    await using visitor = await visit(`?topic=${TOPIC}nameless`);
    const { page } = visitor;
    await connect(page, await subscriberToken({ key: SUBSCRIBER_KEY }), '');
    expect(await page.locator('.facts').textContent()).toMatch(/^AsA token without a name/);
  });

  it('shows all that is held when it reconnects from the oldest, once each', async () => {
    await using busy = await startHub();
    using publisher = await Publisher.of(busy);
    const lines = Array.from({ length: 3_000 }, (_, index) => ({ topic: `${TOPIC}many`, data: `"m ${index}"` }));
    await publisher.publishAll(lines);
    await using visitor = await Visit.to(`${busy.url}/#/console?topic=*&topic=${TOPIC}many&since=earliest`, on.browser);
    const { page } = visitor;
    await connect(page, await subscriberToken(), '');
    // Those and the mark before them.
    await page.locator('#log-shown', { hasText: '3,001 shown' }).waitFor();
    expect(await page.locator('#log-shown').textContent()).toBe('3,001 shown');
  });
});
