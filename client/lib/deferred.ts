import type { Presence } from './api.js';
import { notLoaded } from './loading.js';
import type { PresenceContext } from './presence.js';

/**
 * An iterator whose code is loaded when it is first asked for something. Unlike an async generator it is told of
 * `return()` at once, also while a `next()` is waited for.
 */
export function deferred<T>(
  open: () => Promise<Pick<AsyncGenerator<T, void, undefined>, 'next' | 'return' | 'throw'>>,
): AsyncGenerator<T, void, undefined> {
  let opened: ReturnType<typeof open> | undefined;
  const pass = (name: 'next' | 'return' | 'throw') => async (value: unknown) =>
    (await (opened ??= open()))[name](value);
  const itself = {
    next: pass('next'),
    return: pass('return'),
    throw: pass('throw'),
    [Symbol.asyncIterator]: (): unknown => itself,
  };
  return itself as AsyncGenerator<T, void, undefined>;
}

/** Who is subscribed, by code that is loaded when somebody asks. */
export function presenceOf(context: () => PresenceContext): Presence {
  return {
    list: async (options) => (await import('./presence.js')).list(context(), options),
    subscribe: (handler, options) => {
      const known = context();
      const stop = new AbortController();
      import('./presence.js')
        .then(({ follow }) => follow(known, handler, stop, options))
        .catch((cause: unknown) => known.report(notLoaded('presence.js', cause)));
      return () => stop.abort();
    },
  };
}
