/** The injection token of {@link HubOptions}. */
export const HUB_OPTIONS = Symbol('hub options');

export interface HubOptions {
  /** The hub's own URL: the base of relative topics and patterns (R25), and the namespace that nobody publishes to (R30). */
  readonly hubUrl: URL;
  /** Whether subscriptions of the 0.x dialect are served as well. */
  readonly legacy: boolean;
  /** Whether who is subscribed is told, and for how many milliseconds somebody may be away without being missed. */
  readonly subscriptions: { readonly enabled: boolean; readonly grace: number };
  /** Bytes of encoded entries that this process keeps at hand. */
  readonly recentBytes: number;
  /** Milliseconds to gather updates before they are written out; 0 is the end of the turn of the event loop. */
  readonly flushInterval: number;
}
