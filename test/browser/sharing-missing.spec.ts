import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { chromium, describeWith } from '../support/programs.js';
import { Tab, type TabOptions } from './tab.js';
import { tabStage } from './tab-stage.js';
import { launch } from './visit.js';

interface Lack {
  readonly what: string;
  /** Runs in each page before all else. */
  readonly prepare?: () => void;
  readonly options?: TabOptions;
  /** A file that can't be loaded. */
  readonly lost?: string;
}

function withoutLocks(): void {
  Object.defineProperty(navigator, 'locks', { value: undefined });
}

const LACKS: readonly Lack[] = [
  {
    what: 'Web Locks that refuse',
    prepare: () => {
      LockManager.prototype.request = () => Promise.reject(new DOMException('refused', 'SecurityError'));
    },
  },
  {
    what: 'Web Locks that throw',
    prepare: () => {
      LockManager.prototype.request = () => {
        throw new DOMException('refused', 'SecurityError');
      };
    },
  },
  {
    what: 'no BroadcastChannel',
    prepare: () => {
      Reflect.deleteProperty(globalThis, 'BroadcastChannel');
    },
  },
  {
    what: 'a BroadcastChannel that throws',
    prepare: () => {
      Object.assign(globalThis, {
        BroadcastChannel: function refuse() {
          throw new DOMException('refused', 'SecurityError');
        },
      });
    },
  },
  { what: 'no Web Locks, where they alone were asked for', prepare: withoutLocks, options: { share: 'locks' } },
  {
    what: 'no SharedWorker',
    prepare: () => {
      Reflect.deleteProperty(globalThis, 'SharedWorker');
    },
    options: { share: 'worker' },
  },
  {
    what: 'a SharedWorker that throws',
    prepare: () => {
      Object.assign(globalThis, {
        SharedWorker: function refuse() {
          throw new DOMException('refused', 'SecurityError');
        },
      });
    },
    options: { share: 'worker' },
  },
  { what: 'no worker file', options: { share: 'worker', workerUrl: '/nothing.js' } },
  { what: 'a worker file that does not run', options: { share: 'worker', workerUrl: '/herald/resume.js' } },
  { what: 'a worker that says nothing', options: { share: 'worker', workerUrl: '/silent.js' } },
  { what: 'no code for sharing', lost: '**/herald/open-shared.js' },
];

describeWith(chromium, 'tabs that can not share a connection', (path) => {
  const on = tabStage(() => launch(path));

  it.each(LACKS)('have one each, and say so once: with $what', async ({ prepare, options, lost }) => {
    if (prepare) await on.context.addInitScript(prepare);
    if (lost !== undefined) await on.context.route(lost, (route) => route.abort());
    const open = (): Promise<Tab> => Tab.open(on.context, on.site.url, { resume: 'local', ...options });
    const tabs = await Promise.all([open(), open()]);
    await on.site.has(2);
    for (const data of ['1', '2']) await on.publisher.publish({ topic: 'urn:t', data });
    on.site.goAway();
    await on.publisher.publish({ topic: 'urn:t', data: '3' });
    on.site.comeBack();
    for (const tab of tabs) await tab.has('3');

    for (const tab of tabs) {
      expect(await tab.texts()).toEqual(['1', '2', '3']);
      expect((await tab.errors()).filter((code) => code !== 'unreachable')).toEqual(['sharing-unavailable']);
    }
  });

  it('are those of a sandboxed frame, too', async () => {
    on.site.shareWithAll();
    const page = await on.context.newPage();
    await page.goto(on.site.url);
    const tab = await Tab.within(page, await sandboxIn(page), { resume: 'local' });
    await on.publisher.publish({ topic: 'urn:t', data: '1' });
    await tab.has('1');

    expect(await tab.errors()).toEqual(['sharing-unavailable']);
  });

  it('need no cryptography to share', async () => {
    await on.context.addInitScript(() => {
      Object.defineProperty(crypto, 'subtle', { value: undefined });
    });
    const tabs = [
      await Tab.open(on.context, on.site.url, { subject: 'ann' }),
      await Tab.open(on.context, on.site.url, { subject: 'ann' }),
    ];
    await on.publisher.publish({ topic: 'urn:t', data: '1' });
    for (const tab of tabs) await tab.has('1');

    for (const tab of tabs) expect(await tab.errors()).toEqual([]);
    expect(on.site.streams.size).toBe(1);
  });
});

/** A frame without an origin, as applications have for what they do not trust. */
async function sandboxIn(page: Page): ReturnType<typeof frameOf> {
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const frame = document.createElement('iframe');
        frame.sandbox.add('allow-scripts');
        frame.src = '/';
        frame.addEventListener('load', resolve);
        document.body.append(frame);
      }),
  );
  return frameOf(page);
}

async function frameOf(page: Page): Promise<NonNullable<ReturnType<Page['frames']>[number]>> {
  const [, frame] = page.frames();
  if (!frame) throw new Error('the page has no frame');
  return frame;
}
