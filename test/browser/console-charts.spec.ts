import { expect, it } from '@jest/globals';
import type { Locator } from 'playwright-core';
import { publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { connect, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';
import { drawn, waitUntil } from './wait-until.js';

/** A second of one update, and nothing else. */
const THE_SECOND = /^\d\d:\d\d:\d\d: live 1\/s, replayed 0\/s$/;

const TIME = /^\d\d:\d\d:\d\d$/;

describeWith(chromium, 'the charts of the console', (path) => {
  const on = stage(path, () => startHub());

  /** Opens charts of a topic with one update, which is at least a second ago. */
  async function open(topic: string): Promise<{ opened: Visit; chart: Locator }> {
    const url = `${on.herald.url}/#/console?topic=${TOPIC}${topic}&panel=charts`;
    const opened = await Visit.to(url, on.browser, { viewport: { width: 1440, height: 900 } });
    const { page } = opened;
    await connect(page, await subscriberToken({ subject: 'ann' }), await publisherToken());
    await page.locator('.chart-empty').nth(1).waitFor();
    await on.publisher.publish({ topic: `${TOPIC}${topic}`, data: '"here"' });
    const chart = page.locator('.chart');
    await chart.locator('canvas').waitFor();
    await waitUntil(page, () => Boolean(document.querySelector('.chart')?.ariaValueText?.includes('live 0/s')));
    return { opened, chart };
  }

  it('say their values where the keys are, and where the pointer is', async () => {
    const { opened, chart } = await open('charts');
    await using _ = opened;
    const { page } = opened;
    // Half a minute, and not five.
    expect(Number(await chart.getAttribute('aria-valuemax'))).toBeLessThan(60);
    await toTheSecond(chart);
    expect(await told(chart)).toMatch(THE_SECOND);
    expect(await page.locator('.chart-at').textContent()).toMatch(TIME);
    expect(await page.locator('.legend strong').first().textContent()).toBe('1/s');
    await chart.blur();
    await page.locator('.chart-at', { hasText: /^$/ }).waitFor({ state: 'attached' });
    await chart.hover();
    await page.locator('.chart-at', { hasText: TIME }).waitFor();
    await page.mouse.move(0, 0);
    await page.locator('.chart-at', { hasText: /^$/ }).waitFor({ state: 'attached' });
    expect(await violationsOn(page)).toEqual([]);
  });

  it('stay with the second that was chosen, wherever the pointer lies', async () => {
    const { opened, chart } = await open('rest');
    await using _ = opened;
    const { page } = opened;
    // The keys count, though the pointer lies there, and none of them is lost.
    await chart.hover();
    await chart.focus();
    await page.keyboard.press('End');
    for (let press = 0; press < 5; press += 1) await page.keyboard.press('ArrowLeft');
    await drawn(page);
    const before = await told(chart);
    const [place, newest] = await Promise.all([placeOf(chart), chart.getAttribute('aria-valuemax').then(Number)]);
    expect(place).toBeLessThanOrEqual(newest - 5);
    await waitUntil(page, (wanted) => Number(document.querySelector('.chart')?.ariaValueNow) <= wanted, place - 3);
    expect(await told(chart)).toBe(before);
  });
});

function told(chart: Locator): Promise<string | null> {
  return chart.getAttribute('aria-valuetext');
}

async function placeOf(chart: Locator): Promise<number> {
  return Number(await chart.getAttribute('aria-valuenow'));
}

/** Goes to the left until it is the second of the update, or the oldest. */
async function toTheSecond(chart: Locator): Promise<void> {
  await chart.focus();
  do {
    await chart.press('ArrowLeft');
    await drawn(chart.page());
  } while (!THE_SECOND.test((await told(chart)) ?? '') && (await placeOf(chart)) > 0);
}
