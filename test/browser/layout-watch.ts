import type { Page } from 'playwright-core';

/** What has moved in a page since it was loaded. */
export interface Moves {
  /** Where the panes were, in pixels from the top of the page, each place once. */
  readonly tops: readonly number[];
  /**
   * Of each shift that the browser has noticed: what has moved, from where to where. What moves at once when somebody
   * clicks or types is expected to, and is not among them.
   */
  readonly shifts: readonly string[];
}

/** Has a page notice what moves in it, from its first frame on. Call it before the page is loaded. */
export async function watchLayout(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const moves = { tops: [] as number[], shifts: [] as string[] };
    Reflect.set(globalThis, 'moves', moves);
    const nameOf = (node: Node | null): string => {
      if (!(node instanceof Element)) return node?.nodeName ?? 'something';
      return `${node.tagName.toLowerCase()}${node.id && `#${node.id}`}.${String(node.getAttribute('class'))}`;
    };
    const placeOf = ({ left, top, width, height }: DOMRectReadOnly): string => `${left},${top} ${width}x${height}`;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as LayoutShift[]) {
        if (entry.hadRecentInput) continue;
        for (const { node, previousRect, currentRect } of entry.sources) {
          moves.shifts.push(`${nameOf(node)} ${placeOf(previousRect)} -> ${placeOf(currentRect)}`);
        }
      }
    }).observe({ type: 'layout-shift', buffered: true });
    const look = (): void => {
      const top = document.querySelector('.panes')?.getBoundingClientRect().top;
      if (top !== undefined && !moves.tops.includes(top + scrollY)) moves.tops.push(top + scrollY);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/** What has moved so far. Resolves after the next frame, so that what was just done is in it. */
export async function movesIn(page: Page): Promise<Moves> {
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))),
  );
  return page.evaluate(() => Reflect.get(globalThis, 'moves') as Moves);
}

/** A part of the DOM's types that TypeScript's own do not have. */
interface LayoutShift extends PerformanceEntry {
  readonly hadRecentInput: boolean;
  readonly sources: readonly {
    readonly node: Node | null;
    readonly previousRect: DOMRectReadOnly;
    readonly currentRect: DOMRectReadOnly;
  }[];
}
