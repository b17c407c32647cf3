import type { Herald } from './herald.js';
import { send, textOf } from './event-stream.js';

/** What one scrape gives: each series by its name and labels, as the text has them. */
export class Scrape {
  constructor(readonly text: string) {}

  static async of(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Scrape> {
    const response = await send(url, { headers });
    const text = await textOf(response);
    if (response.statusCode !== 200) throw new Error(`the metrics are refused with ${response.statusCode}: ${text}`);
    return new Scrape(text);
  }

  /** The names of all series, with their labels. */
  get series(): string[] {
    return this.lines.map(([name = '']) => name).toSorted();
  }

  /** The value of a series such as `a_total` or `a_total{reason="x"}`. */
  value(series: string): number {
    const line = this.lines.find(([name]) => name === series);
    if (!line) throw new Error(`there is no ${series} in:\n${this.text}`);
    return Number(line[1]);
  }

  private get lines(): string[][] {
    return this.text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]);
  }
}

/** For a listener whose port the system chooses. */
export const INTERNAL: Readonly<Record<string, string>> = { HERALD_INTERNAL_LISTEN: '127.0.0.1:0' };

/** The address of the internal listener. */
export async function internalUrlOf(herald: Herald): Promise<string> {
  const [, url = ''] = await herald.waitForLog(/administration are at (http:\/\/[^"\s]+)/);
  return url;
}

/** A scrape by the internal listener. */
export async function scrape(herald: Herald): Promise<Scrape> {
  return Scrape.of(`${await internalUrlOf(herald)}/metrics`);
}

/** Scrapes until `condition` holds, because a process hears of what its clients do a moment later. */
export async function scrapeUntil(herald: Herald, condition: (seen: Scrape) => boolean): Promise<Scrape> {
  const deadline = performance.now() + 15_000;
  let seen = await scrape(herald);
  while (!condition(seen) && performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    seen = await scrape(herald);
  }
  if (condition(seen)) return seen;
  throw new Error(`the metrics do not come to what they should be:\n${seen.text}`);
}
