/** The injection token of {@link AccessOptions}. */
export const ACCESS_OPTIONS = Symbol('access options');

export interface AccessOptions {
  /** Whether readers who bring nothing get public updates. */
  readonly anonymous: boolean;
}
