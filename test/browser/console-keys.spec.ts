import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startHerald } from '../support/herald.js';
import { publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { connect, looks, row, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';

describeWith(chromium, 'the console by keyboard', (path) => {
  const on = stage(path, () => startHub());

  async function open(query: string): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console${query}`, on.browser);
    await connect(visit.page, await subscriberToken({ subject: 'ann' }), await publisherToken());
    return visit;
  }

  it('never loses the focus to the page', async () => {
    await using development = await startHerald();
    await using visit = await Visit.to(`${development.url}/#/console?topic=/a&topic=/b&topic=/c`, on.browser);
    const { page } = visit;
    await press(page, '.primary[data-bar]');
    await focusIsOn(page, '#console-disconnect');
    await looks(page, 'open');
    await press(page, '#console-cut');
    await focusIsOn(page, '#console-disconnect');
    await looks(page, 'open');
    await press(page, '.chips li:nth-child(2) button');
    await focusIsOn(page, '.chips li:nth-child(2) button');
    await press(page, '.chips li:nth-child(2) button');
    await focusIsOn(page, '.chips li:nth-child(1) button');
    await press(page, '.chips li:nth-child(1) button');
    await focusIsOn(page, '#topic-text');
    await press(page, '#second');
    await focusIsOn(page, '.second button');
    await press(page, '#second-close');
    await focusIsOn(page, '#second');
    await press(page, '#console-disconnect');
    await focusIsOn(page, '.connect button');
    expect(await page.locator('.chips li').count()).toBe(0);
  });

  it('goes to the marks of the log as well, which are read out', async () => {
    await using visit = await open(`?topic=${TOPIC}marks`);
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}marks`, data: '"before"' });
    await row(page, 'before').waitFor();
    await page.locator('#console-cut').click();
    await page.locator('.row[data-mark="resumed"]').waitFor();
    const list = page.locator('#log-rows');
    await list.press('End');
    const active = async (): Promise<string> =>
      list.evaluate(
        (element) => document.getElementById(element.getAttribute('aria-activedescendant') ?? '')?.textContent ?? '',
      );
    expect(await active()).toMatch(/^Back after/);
    await list.press('ArrowUp');
    expect(await active()).toMatch(/^The connection was lost/);
    await list.press('Home');
    expect(await active()).toBe('Connected as ann');
    await list.press('ArrowDown');
    await page.locator('#detail-data', { hasText: 'before' }).waitFor();
    expect(await violationsOn(page)).toEqual([]);
  });

  it('goes to the first and the last tab, and names Pause by what it does', async () => {
    await using visit = await open(`?topic=${TOPIC}tabs`);
    const { page } = visit;
    const tabs = page.getByRole('tab');
    await page.locator('#tab-publish').press('End');
    await focusIsOn(page, `[role=tab]:nth-child(${await tabs.count()})`);
    await page.keyboard.press('Home');
    await focusIsOn(page, '#tab-publish');
    const pause = page.locator('#log-pause');
    expect(await pause.getAttribute('aria-pressed')).toBeNull();
    await pause.press('Enter');
    await page.getByRole('button', { name: 'Resume' }).press('Enter');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
  });
});

async function press(page: Page, selector: string): Promise<void> {
  await page.locator(selector).first().press('Enter');
}

async function focusIsOn(page: Page, selector: string): Promise<void> {
  await page.locator(`${selector}:focus`).first().waitFor({ timeout: 5_000 });
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false);
}
