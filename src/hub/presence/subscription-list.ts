import type { Lease, SharedState } from '../../storage/state/shared-state.js';
import { type Matcher, matcherKey } from '../matching/matcher.js';
import type { ActiveSubscription } from '../protocol/dialect.js';

/** What may be done in one turn of the event loop: characters of leases are read, each subscription counts as more. */
const AT_ONCE = 64 * 1024;
const PER_SUBSCRIPTION = AT_ONCE / 32;

/** Which subscriptions are listed, and how. */
export interface ListOptions {
  /** The list begins after the lease with this number. */
  readonly after?: number;
  /** If given, only subscriptions with one of these matchers are listed. */
  readonly matchers?: readonly Matcher[] | undefined;
  /** Resolves when others have had their turn. */
  readonly giveWay?: () => Promise<void>;
}

export interface ListedSubscription extends ActiveSubscription {
  /** The number of the lease. */
  readonly serial: number;
}

/** Active subscriptions in the order of their leases, in turns that are short whoever is subscribed. */
export async function* listSubscriptions(
  state: SharedState,
  subscriptionsOf: (lease: Lease) => readonly ActiveSubscription[],
  { after = 0, matchers, giveWay = () => Promise.resolve() }: ListOptions,
): AsyncIterable<ListedSubscription> {
  const keys = matchers && new Set(matchers.map(matcherKey));
  let done = 0;
  const spend = async (cost: number): Promise<void> => {
    if (done >= AT_ONCE) {
      done = 0;
      await giveWay();
    }
    done += cost;
  };
  for await (const lease of state.list(after, keys && [...keys])) {
    await spend(lease.details.length);
    for (const subscription of subscriptionsOf(lease)) {
      if (keys && !keys.has(matcherKey(subscription.matcher))) continue;
      // oxlint-disable-next-line no-await-in-loop -- the list is to be made in several turns
      await spend(PER_SUBSCRIPTION);
      yield { ...subscription, serial: lease.serial };
    }
  }
}
