import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { followPage } from './page-events.js';

/** The event target of the page, which is all that `followPage` needs of it. */
const page = new EventTarget();

describe('the life of the page', () => {
  const acts: string[] = [];
  let stop: () => void;

  beforeEach(() => {
    jest.useFakeTimers();
    const addEventListener = page.addEventListener.bind(page);
    Object.assign(globalThis, { document: {}, addEventListener });
    acts.length = 0;
    stop = followPage((act) => acts.push(act));
  });

  afterEach(() => {
    stop();
    Reflect.deleteProperty(globalThis, 'document');
    Reflect.deleteProperty(globalThis, 'addEventListener');
    jest.useRealTimers();
  });

  it.each([
    ['visibilitychange', 'hurry'],
    ['pagehide', 'suspend'],
    ['freeze', 'suspend'],
    ['pageshow', 'resume'],
    ['resume', 'resume'],
  ])('%s: %s', (type, act) => {
    page.dispatchEvent(new Event(type));
    expect(acts).toEqual([act]);
  });

  it('online: hurry, but not all of a network at once', () => {
    page.dispatchEvent(new Event('online'));
    expect(acts).toEqual([]);
    jest.advanceTimersByTime(1_000);
    expect(acts).toEqual(['hurry']);
  });

  it('is not followed any more afterwards', () => {
    stop();
    page.dispatchEvent(new Event('pagehide'));
    expect(acts).toEqual([]);
  });
});
