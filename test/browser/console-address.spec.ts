import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { expect, it } from '@jest/globals';
import { startHerald } from '../support/herald.js';
import { startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { connect, looks, row, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';
import { waitUntil } from './wait-until.js';

describeWith(chromium, 'the way to the console', (path) => {
  const on = stage(path, () => startHub());

  it('leads back to what was there, by the links of the page', async () => {
    const query = `?topic=${encodeURIComponent(`${TOPIC}a`)}&pattern=%2Fb%2F*&since=earliest&filter=x`;
    await using visit = await Visit.to(`${on.herald.url}/#/console${query}`, on.browser);
    const { page } = visit;
    await connect(page, await subscriberToken(), '');
    await page.locator('#second').click();
    await waitUntil(page, () => location.hash.includes('second=1'));
    const address = page.url();
    await page.locator('#to-clock').click();
    await page.locator('#clock').waitFor();
    expect(await page.title()).toBe('Server-Sent Events example');
    await page.locator('#to-console').click();
    await page.locator('#console-state').waitFor();
    expect(await page.title()).toBe('Herald console');
    await page.locator('#to-console').click();
    await page.waitForURL(address);
    expect(await page.locator('.chips li').count()).toBe(2);
    expect(await page.locator('#since').inputValue()).toBe('earliest');
    expect(await page.locator('#log-filter').inputValue()).toBe('x');
    expect(await page.locator('.second').count()).toBe(1);
    await looks(page, 'open');
    await page.reload();
    await page.locator('.chips li').nth(1).waitFor();
  });

  it('has the page of somebody who works on it connect with one click, too', async () => {
    await using development = await startHerald();
    await using vite = await Vite.before(development.port);
    await using visit = await Visit.to(`${vite.url}#/console?topic=*`, on.browser);
    const { page } = visit;
    await page.getByRole('button', { name: 'Developer token' }).click();
    await looks(page, 'open');
    await page.locator('#publish-send').click();
    await row(page, 'hello').waitFor();
    expect(await page.locator('.problem').textContent()).toBe('');
  }, 60_000);
});

/** The server of `npm run dev` for the page, in front of a service. */
class Vite implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async before(port: number): Promise<Vite> {
    const command = createRequire(import.meta.url)
      .resolve('vite/package.json')
      .replace('package.json', 'bin/vite.js');
    const child = spawn(process.execPath, [command, '--port', '0'], {
      env: { PATH: process.env['PATH'] ?? '', PORT: String(port), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [, found] = /Local: +(http:\S+)/.exec(output) ?? [];
        if (found) resolve(found);
      });
      child.once('exit', () => reject(new Error(`Vite did not start:\n${output}`)));
    });
    return new Vite(child, url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
}
