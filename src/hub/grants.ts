/** What a reader or publisher may do. Made by whoever verifies tokens or sessions; the hub only asks. */
export interface Grants {
  /** Whether every one of these topics may be published to (R60). */
  canPublish(topics: readonly string[]): boolean;
  /** Whether a private update with these topics may be read: at least one of them is granted (R61). */
  canRead(topics: readonly string[]): boolean;
  /** The same for all grants that let the same private updates through. */
  readonly readKey: string;
  /** Who it is, if known. */
  readonly subject?: string;
}

/** Public updates only. */
export const ANONYMOUS: Grants = {
  canPublish: () => false,
  canRead: () => false,
  readKey: 'anonymous',
};

/** Everything: for callers in the same process. */
export const UNLIMITED: Grants = {
  canPublish: () => true,
  canRead: () => true,
  readKey: 'unlimited',
};
