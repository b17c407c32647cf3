/** What a publisher hands in, checked: see `checkUpdate`. */
export interface Update {
  /** The first one is canonical (R2). */
  readonly topics: readonly string[];
  readonly data: string;
  readonly id: string;
  readonly private: boolean;
  readonly type?: string;
  /** Milliseconds. */
  readonly retry?: number;
}
