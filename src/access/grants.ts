import type { Caller } from './caller.js';

/** What a reader or publisher may do. Made by whoever verifies tokens or sessions; the hub only asks. */
export interface Grants extends Caller {
  /** Whether every one of these topics may be published to (R60). */
  canPublish(topics: readonly string[]): boolean;
  /** Whether a private update with these topics may be read: at least one of them is granted (R61). */
  canRead(topics: readonly string[]): boolean;
  /** The same for all grants that let the same private updates through. */
  readonly readKey: string;
  /** Whether connections may be listed and ended, and tokens revoked. Default: no. */
  readonly isAdmin?: boolean;
  /** Whether the grants come from a token of the 0.x dialect, in which some answers are then given. Default: no. */
  readonly isLegacy?: boolean;
  /** The matchers behind `canRead`, for those who ask why; undefined where it has none. Only the hub's own grants say so. */
  readonly readMatchers?: readonly { readonly type: string; readonly pattern: string }[] | undefined;
  /** About how many bytes they take. Default: little. */
  readonly weight?: number;
  /** The payload of a subscription to `matcher`, for others who may know who is subscribed (R63). */
  payloadFor?(matcher: string): object | undefined;
}

const own = new WeakSet<Grants>();

/** Marks grants that the hub has made itself. These need no guard: they never throw, and their types are right. */
export function ownGrants(grants: Grants): Grants {
  own.add(grants);
  return grants;
}

/** Whether the grants were marked by {@link ownGrants}. */
export function areOwn(grants: Grants): boolean {
  return own.has(grants);
}

/** The grants of callers without credentials: public updates only. */
export const ANONYMOUS = ownGrants({
  canPublish: () => false,
  canRead: () => false,
  readKey: 'anonymous',
});

/** The grants of callers in the same process: everything. */
export const UNLIMITED = ownGrants({
  canPublish: () => true,
  canRead: () => true,
  readKey: 'unlimited',
});
