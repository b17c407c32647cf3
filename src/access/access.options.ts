/** The injection token of {@link AccessOptions}. */
export const ACCESS_OPTIONS = Symbol('access options');

export interface AccessOptions {
  /** Whether callers without credentials may subscribe, to public updates only. */
  readonly anonymous: boolean;
}
