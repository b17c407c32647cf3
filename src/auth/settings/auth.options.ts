import type { AuthConfig } from '../../config/config.js';

/** The injection token of {@link AuthOptions}. */
export const AUTH_OPTIONS = Symbol('auth options');

export interface AuthOptions extends AuthConfig {
  /** Whether clients can ask who is subscribed, which the metadata says. */
  readonly subscriptions: boolean;
  /** The path of the hub's routes in the application, without a global prefix. Default: the protocol's. */
  readonly path?: string;
  /** The hub's own URL, against which relative patterns in tokens are resolved (R25). */
  readonly hubUrl: URL;
}
