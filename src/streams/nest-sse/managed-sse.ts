import { SetMetadata } from '@nestjs/common';

/** The key under which a handler, a controller or a module says by which hub its streams are managed. */
export const MANAGED_SSE = 'herald:managed-sse';

export interface ManagedSseOptions {
  /** The name of the hub that looks after the streams. Default: the one without a name. */
  readonly hub?: string;
}

/**
 * Gives the stream of an `@Sse()` handler what the hub's own streams have: a random `retry:`, heartbeats, a maximum age,
 * limits, and a clean end with the process. On a controller or a module it is for all of their `@Sse()` handlers.
 *
 *     @Sse('ticks')
 *     @ManagedSse()
 *     ticks(): Observable<MessageEvent> { … }
 */
export const ManagedSse = (options: ManagedSseOptions = {}): ClassDecorator & MethodDecorator =>
  SetMetadata(MANAGED_SSE, options) as ClassDecorator & MethodDecorator;
