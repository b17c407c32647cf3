/** The injection token of {@link AuthOptions}. */
export const AUTH_OPTIONS = Symbol('auth options');

export interface AuthOptions {
  /** The secret that publishers' tokens are signed with (HS256), at least 32 bytes. */
  readonly publisherKey: string;
  /** The secret that subscribers' tokens are signed with (HS256), at least 32 bytes. */
  readonly subscriberKey: string;
  /** Whether readers without a token get public updates. */
  readonly anonymous: boolean;
  /** The hub's own URL, against which relative patterns in tokens are resolved (R25). */
  readonly hubUrl: URL;
}
