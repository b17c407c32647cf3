import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HeraldError } from './errors.js';
import type { Selector } from './matcher.js';
import { Subscription } from './subscription.js';

const WHY = new HeraldError('refused', 'why');

/** More than are read together, so that there are two parts. */
const SELECTORS: readonly Selector[] = Array.from({ length: 101 }, (_, index) => ({
  matcher: `match=${index}`,
  name: String(index),
  isOpenEnded: false,
  test: () => false,
}));

/** What may happen to a subscription, and what is known of it then. */
class Model {
  readonly isLive = [false, false];
  readonly isRefused = [false, false];
  hasFailed = false;
  hasEnded = false;

  get state(): string {
    if (this.hasEnded) return 'ended';
    const wanted = this.isLive.filter((_, index) => !this.isRefused[index]);
    if (this.hasFailed || wanted.length === 0) return 'refused';
    return wanted.every(Boolean) ? 'live' : 'pending';
  }
}

type Act = (subscription: Subscription, model: Model) => void;

function actOn(part: 0 | 1): Record<string, Act> {
  return {
    [`${part} goes live`]: ({ parts }, model) => {
      parts[part]?.goLive();
      model.isLive[part] = true;
    },
    [`${part} is interrupted`]: ({ parts }, model) => {
      parts[part]?.interrupt('id');
      model.isLive[part] = false;
    },
    [`${part} is refused`]: ({ parts }, model) => {
      for (const matcher of parts[part]?.matchers ?? []) parts[part]?.refuse(matcher, WHY);
      model.isRefused[part] = true;
    },
  };
}

const ACTS: Record<string, Act> = {
  ...actOn(0),
  ...actOn(1),
  'the stream is refused': (subscription, model) => {
    subscription.fail(WHY);
    model.hasFailed = true;
  },
  'it is tried again': (subscription, model) => {
    subscription.retry();
    model.hasFailed = false;
  },
  'it is stopped': (subscription, model) => {
    subscription.end();
    model.hasEnded = true;
  },
};

describe('a subscription', () => {
  it('is in the state that its parts and the stream make, whatever happens in whichever order, and tells each once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(ACTS)), { maxLength: 20 }), (names) => {
        const told: string[] = ['pending'];
        const expected: string[] = ['pending'];
        const subscription = new Subscription(SELECTORS, '', {
          handler: () => undefined,
          onError: () => undefined,
          onState: (state) => void told.push(state),
        });
        const model = new Model();
        for (const name of names) {
          ACTS[name]?.(subscription, model);
          if (expected.at(-1) !== model.state) expected.push(model.state);
          expect(subscription.state).toBe(model.state);
        }
        expect(told).toEqual(expected);
      }),
    );
  });

  it('keeps the reason of a refused topic when the stream is tried again', () => {
    const subscription = new Subscription(SELECTORS, '', { handler: () => undefined, onError: () => undefined });
    subscription.parts[0]?.refuse('match=0', WHY);
    subscription.fail(new HeraldError('unauthorized', 'the token'));
    expect(subscription.error?.message).toBe('the token');
    subscription.retry();
    expect(subscription.error).toBe(WHY);
  });
});
