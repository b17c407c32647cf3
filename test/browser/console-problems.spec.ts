import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { HUB, publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { add, connect, looks, row, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { StandIn } from './stand-in.js';
import { Visit, type VisitOptions } from './visit.js';

// Each asks to wait, so that the library is surely still waiting when *Try now* is pressed.
const BUSY = { status: 503, headers: { 'content-type': 'application/problem+json', 'retry-after': '120' } };
const OVERLOADED = { ...BUSY, body: JSON.stringify({ code: 'overloaded', detail: 'Too much to do.', status: 503 }) };
const LIMITED = {
  status: 429,
  headers: { 'content-type': 'application/problem+json', 'retry-after': '120' },
  body: JSON.stringify({ code: 'rate-limited', detail: 'Too many.', status: 429 }),
};
const GATEWAY = { status: 502, headers: { 'content-type': 'text/html', 'retry-after': '120' }, body: 'Bad Gateway' };

describeWith(chromium, 'what the console says of failures', (path) => {
  const on = stage(path, () => startHub());

  const open = (query: string, options: VisitOptions = {}): Promise<Visit> =>
    Visit.to(`${on.herald.url}/#/console${query}`, on.browser, options);

  it.each([
    ['a hub with too much to do', OVERLOADED, /has more to do than it can \(503\)\. It asks to wait 2 min\./],
    ['too many requests', LIMITED, /Too many requests have come from here \(429\)/],
    ['a gateway', GATEWAY, /A proxy answers in place of the hub \(502\)/],
  ])('tells of %s, when it tries again, and lets that be now', async (_what, answer, sentence) => {
    await using visit = await open(`?topic=${TOPIC}a`);
    const { page } = visit;
    await page.route(`**${HUB}?**`, (route) => route.fulfill(answer));
    await connect(page, await subscriberToken(), '', 'lost');
    await page.locator('.problem', { hasText: sentence }).waitFor();
    expect(await page.locator('.problem').textContent()).not.toContain('topic');
    await page.locator('.next-attempt', { hasText: /^Next attempt (within|now)/ }).waitFor();
    await page.unroute(`**${HUB}?**`);
    await page.getByRole('button', { name: 'Try now' }).click();
    await looks(page, 'open');
    expect(await page.locator('.problem').textContent()).toBe('');
    expect(await page.locator('.next-attempt').count()).toBe(0);
  });

  it('tells of a hub that is away', async () => {
    const mortal = await startHub();
    await using visit = await Visit.to(`${mortal.url}/#/console?topic=*`, on.browser);
    const { page } = visit;
    await connect(page, await subscriberToken(), '');
    await mortal.kill('SIGKILL');
    await page.locator('.problem', { hasText: 'The hub cannot be reached' }).waitFor();
    await page.locator('.next-attempt').waitFor();
    await using standIn = await StandIn.start(mortal.port, 502);
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.locator('.problem', { hasText: 'A proxy answers in place of the hub (502)' }).waitFor();
    expect(standIn.port).toBe(mortal.port);
  });

  it('says what is wrong with something that is no token', async () => {
    await using visit = await open(`?topic=${TOPIC}a`);
    const { page } = visit;
    await connect(page, 'nonsense', '', 'failed');
    await page.locator('.problem', { hasText: /Paste another one/ }).waitFor();
    expect(await page.locator('.problem').textContent()).not.toContain('topic');
    expect(await page.locator('#console-token').isVisible()).toBe(true);
  });

  it('says once that a token is wrong, with few requests, however many topics there are', async () => {
    const query = Array.from({ length: 50 }, (_, index) => `topic=${TOPIC}${index}`).join('&');
    await using visit = await open(`?${query}`);
    const { page } = visit;
    const asked = requestsOf(page);
    await connect(page, await subscriberToken({ key: 'a key that is not the one of the hub at all' }), '', 'failed');
    await page.locator('.problem', { hasText: 'The token was refused' }).waitFor();
    expect(asked.length).toBeLessThan(6);
    const alerts = await page.getByRole('alert').allTextContents();
    expect(alerts.filter((text) => text.trim() !== '')).toHaveLength(1);
    expect(await page.locator('.denied').count()).toBe(0);
  });

  it('says at its chip alone that a topic is refused, without requests of its own, while the others go on', async () => {
    await using visit = await open(`?topic=${TOPIC}good`);
    const { page } = visit;
    await connect(page, await subscriberToken(), await publisherToken());
    const asked = requestsOf(page);
    await add(page, '/x/(a|b(?=c))', 'pattern');
    const chip = page.locator('.chips li', { hasText: '/x/' });
    await chip.locator('.denied').waitFor();
    expect(await chip.locator('.denied').getAttribute('title')).toContain('does not take this topic or pattern');
    expect(await page.locator('#topics-refused').textContent()).toMatch(/^The hub refuses a topic: /);
    expect(await page.locator('.problem').textContent()).toBe('');
    expect(asked.filter((url) => url.startsWith('HEAD'))).toEqual([]);
    await on.publisher.publish({ topic: `${TOPIC}good`, data: '"still here"' });
    await row(page, 'still here').waitFor();
  });

  it('speaks Chinese, with the hub’s own words marked as English', async () => {
    await using visit = await open(`?topic=${TOPIC}a`, { locale: 'zh-CN' });
    const { page } = visit;
    await connect(page, 'nonsense', '', 'failed');
    await page.locator('.problem', { hasText: '请粘贴另一个令牌' }).waitFor();
    await page.locator('.problem [lang="en"]').waitFor();
    await page.locator('#publish-data').fill('{');
    expect(await page.locator('#publish-mistake').textContent()).toMatch(/^不是 JSON：/);
    expect(await page.locator('#publish-mistake [lang="en"]').count()).toBe(1);
    await page.locator('#topic-text').fill('/:');
    await page.locator('#topic-kind').selectOption('pattern');
    await page.locator('.topics form button').click();
    await page.locator('#topic-help [lang="en"]').waitFor();
  });
});

/** The requests to the hub from now on, each as its method and URL. */
function requestsOf(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes(HUB)) asked.push(`${request.method()} ${request.url()}`);
  });
  return asked;
}
