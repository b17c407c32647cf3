import type { Locator } from 'playwright-core';

/** Whether all of it is inside of everything that may cut it. */
export function isInSight(element: Locator): Promise<boolean> {
  return element.evaluate((one) => {
    const { left, right } = one.getBoundingClientRect();
    for (let outer = one.parentElement; outer && outer.className !== 'rows'; outer = outer.parentElement) {
      const frame = outer.getBoundingClientRect();
      if (left < frame.left - 1 || right > frame.right + 1) return false;
    }
    return true;
  });
}
