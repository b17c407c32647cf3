import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { HUB, Publisher, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { connect, row, TOPIC } from './console-page.js';
import { Visit } from './visit.js';
import { stage } from './stage.js';

describeWith(chromium, 'the console under load', (path) => {
  const on = stage(path, () => startHub());

  it('draws once a frame at most, and stays small, while 20,000 messages come at 2,000 a second', async () => {
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
    await flood(on.publisher, 10_000, 10_000);
    await shows(page, 19_999);
    const whole = await heap();
    const { rows, frames, changes, tasks } = await loadOf(page);
    console.log(`tasks of more than 50 ms: ${tasks.length}, the longest ${Math.round(Math.max(0, ...tasks))} ms`);
    expect(rows).toBeLessThan(100);
    // The log was full at half: what came after that took the place of what was there.
    expect(whole / half).toBeLessThan(1.25);
    // Two parts of the page are drawn in each frame, and they would be for each of 4,000 writes otherwise.
    expect(changes).toBeLessThan(3 * frames);
    expect(changes).toBeGreaterThan(10);
  }, 180_000);
});

interface Load {
  /** The most that were in the document at a time. */
  rows: number;
  /** How often the browser drew. */
  frames: number;
  /** How often the document was changed, whatever was changed at once. */
  changes: number;
  /** Milliseconds of each task of the page that took more than 50. */
  readonly tasks: number[];
}

function loadOf(page: Page): Promise<Load> {
  return page.evaluate(() => Reflect.get(globalThis, 'load') as Load);
}

/** Runs in the page. */
function watchLoad(): void {
  const load: Load = { rows: 0, frames: 0, changes: 0, tasks: [] };
  Reflect.set(globalThis, 'load', load);
  new PerformanceObserver((list) => load.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
    type: 'longtask',
  });
  const changed = (): void => void (load.changes += 1);
  new MutationObserver(changed).observe(document.body, { subtree: true, childList: true, characterData: true });
  const drawn = (): void => {
    load.frames += 1;
    requestAnimationFrame(drawn);
  };
  requestAnimationFrame(drawn);
  setInterval(() => (load.rows = Math.max(load.rows, document.querySelectorAll('.row').length)), 50);
}

/** Publishes so many, at 2,000 a second. */
async function flood(publisher: Publisher, count: number, from = 0): Promise<void> {
  const start = performance.now();
  for (let sent = 0; sent < count; sent += 5) {
    const due = start + (sent / 2_000) * 1_000 - performance.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    const updates = Array.from({ length: 5 }, (_, index) => ({
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
