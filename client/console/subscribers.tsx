import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { usePolling } from './hooks.js';
import type { Session } from './session.js';
import { t } from './translation.js';

interface Subscription {
  readonly id: string;
  readonly match_type: string;
  readonly match: string;
  readonly subscriber: string;
  readonly payload?: unknown;
}

const PATH = '.well-known/mercure/subscriptions';
const PERIOD = 2_000;

/** Who is subscribed to what, as far as the hub tells this reader. */
export function Subscribers({ session }: { session: Session }): JSX.Element {
  const subscriptions = useSignal<readonly Subscription[] | undefined>(undefined);
  const tag = useSignal('');
  const load = async (): Promise<void> => {
    const response = await session
      .ask(PATH, tag.value ? { headers: { 'if-none-match': tag.value } } : {})
      .catch(() => undefined);
    if (response?.status === 304) return;
    tag.value = response?.headers.get('etag') ?? '';
    const answer = response?.ok ? ((await response.json()) as { subscriptions: Subscription[] }) : undefined;
    subscriptions.value = answer?.subscriptions;
  };
  usePolling(() => void load(), PERIOD, [session.identity.value]);
  const known = subscriptions.value;
  if (!known) return <p class="help">{t('subscribersRefused')}</p>;
  if (known.length === 0) return <p class="help">{t('noSubscribers')}</p>;
  return (
    <ul class="people" id="people">
      {byTopic(known).map(([topic, people]) => (
        <li key={topic}>
          <span class="mono">{topic}</span> <span class="badge">{people.length}</span>
          <ul>
            {people.slice(0, 20).map(({ id, subscriber, payload }) => (
              <li key={id} class="joined">
                <span class="mono faint">{subscriber.slice(-12)}</span>
                {payload !== undefined && <span class="mono"> {JSON.stringify(payload)}</span>}
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

function byTopic(subscriptions: readonly Subscription[]): [string, Subscription[]][] {
  const topics = new Map<string, Subscription[]>();
  for (const one of subscriptions) topics.set(one.match, [...(topics.get(one.match) ?? []), one]);
  return [...topics];
}
