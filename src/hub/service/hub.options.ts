import type { Tracer } from '../../shared/trace/tracer.js';
import type { PublishQuotaOptions } from '../limits/publish-quota.js';

/** The injection token of {@link HubOptions}. */
export const HUB_OPTIONS = Symbol('hub options');

export interface HubOptions {
  /** The hub's own URL: the base of relative topics and patterns (R25), and the namespace that nobody publishes to (R30). */
  readonly hubUrl: URL;
  /** The path of the hub's routes in the application, without a global prefix. Default: the protocol's. */
  readonly path?: string;
  /** Whether subscriptions of the 0.x dialect are served as well. */
  readonly legacy: boolean;
  /**
   * Whether the hub tells who is subscribed; the grace period: milliseconds that a subscriber may be away; and whether it
   * tells of readers without a token too (default: yes).
   */
  readonly subscriptions: { readonly enabled: boolean; readonly grace: number; readonly anonymous?: boolean };
  /** Bytes of the recent log: the newest entries, encoded, in the memory of this process. */
  readonly recentBytes: number;
  /** Milliseconds to gather updates before they are written out; 0 is the end of the turn of the event loop. */
  readonly flushInterval: number;
  /** How much may be published in a second. */
  readonly quota: PublishQuotaOptions;
  /** Tells what the hub does, and is closed with it. Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}
