import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { HUB, Publisher, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { connect, row, TOPIC } from './console-page.js';
import { Visit } from './visit.js';
import { stage } from './stage.js';

describeWith(chromium, 'the console under load', (path) => {
  const on = stage(path, () => startHub());

  it('stays quick and small while 20,000 messages come at 500 a second', async () => {
    await using visit = await Visit.to(`${on.herald.url}/#/console?topic=*`, on.browser);
    const { page } = visit;
    await connect(page, await subscriberToken(), '');
    await page.evaluate(watchLoad);
    const session = await page.context().newCDPSession(page);
    const heap = async (): Promise<number> => {
      await session.send('HeapProfiler.collectGarbage');
      return (await session.send('Runtime.getHeapUsage')).usedSize;
    };
    await flood(on.publisher, 10_000);
    await shows(page, 9_999);
    const half = await heap();
    const seconds = (await loadOf(page)).tasks.length;
    await flood(on.publisher, 10_000, 10_000);
    await shows(page, 19_999);
    const whole = await heap();
    const { rows, tasks } = await loadOf(page);
    expect(rows).toBeLessThan(100);
    // The log was full at half: what came after that took the place of what was there.
    expect(whole / half).toBeLessThan(1.25);
    // The quieter half: a machine that has other things to do for a while is no fault of the page.
    expect(Math.min(p95(tasks.slice(0, seconds)), p95(tasks.slice(seconds)))).toBeLessThan(100);
  }, 180_000);
});

interface Load {
  /** The most that were in the document at a time. */
  rows: number;
  /** The longest task of each second, in milliseconds. */
  tasks: number[];
}

function loadOf(page: Page): Promise<Load> {
  return page.evaluate(() => Reflect.get(globalThis, 'load') as Load);
}

function p95(durations: readonly number[]): number {
  return durations.toSorted((a, b) => a - b)[Math.floor(durations.length * 0.95)] ?? NaN;
}

/** Runs in the page. */
function watchLoad(): void {
  const load: Load = { rows: 0, tasks: [0] };
  Reflect.set(globalThis, 'load', load);
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) load.tasks.push(Math.max(load.tasks.pop() ?? 0, duration));
  }).observe({ type: 'longtask' });
  setInterval(() => load.tasks.push(0), 1_000);
  setInterval(() => (load.rows = Math.max(load.rows, document.querySelectorAll('.row').length)), 50);
}

/** Publishes so many, at 500 a second. */
async function flood(publisher: Publisher, count: number, from = 0): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < count; sent += 25) {
    const due = start + (sent / 500) * 1_000 - performance.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    const updates = Array.from({ length: 25 }, (_, index) => ({
      topic: `${TOPIC}flood/${(sent + index) % 10}`,
      data: JSON.stringify({ number: from + sent + index, text: 'x'.repeat(100) }),
    }));
    const body = updates.map((update) => `${JSON.stringify(update)}\n`).join('');
    const response = await publisher.post(body, { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
    expect(response.statusCode).toBe(200);
    response.resume();
  }
}

async function shows(page: Page, number: number): Promise<void> {
  await row(page, `"number":${number},`).waitFor({ timeout: 60_000 });
}
