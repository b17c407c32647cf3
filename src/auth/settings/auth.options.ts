import type { IssuerConfig } from '../../config/issuers.js';

/** The injection token of {@link AuthOptions}. */
export const AUTH_OPTIONS = Symbol('auth options');

export interface AuthOptions {
  /** Whose tokens count. */
  readonly issuers: readonly IssuerConfig[];
  /** What a token's `aud` must name; undefined for the hub's URL as the request gives it. */
  readonly resource: string | undefined;
  /** Whether readers without a token get public updates. */
  readonly anonymous: boolean;
  /** Whether tokens of the 0.x dialect count as well, and what it brings them by. */
  readonly legacy: boolean;
  /** The cookie that browsers bring a token in (R45). */
  readonly cookieName: string;
  /** From where pages may publish with a cookie, besides the hub's own origin (R89). */
  readonly publishOrigins: readonly string[];
  /** Whether who is subscribed can be asked; told in the metadata. */
  readonly subscriptions: boolean;
  /** The hub's own URL, against which relative patterns in tokens are resolved (R25). */
  readonly hubUrl: URL;
}
