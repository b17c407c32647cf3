import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { HUB_PATH, HUB_URL, SUBSCRIPTIONS_SETTING } from '../src/page-places.js';
import { Breakable } from './breakable.js';
import { usePolling } from './hooks.js';
import type { Session } from './session.js';
import { t } from './translation.js';
import { visible } from './visible-text.js';

interface Subscription {
  readonly id: string;
  readonly match_type: string;
  readonly match: string;
  readonly subscriber: string;
  readonly payload?: unknown;
}

const PATH = `${HUB_PATH}/subscriptions`;
/** The topic that tells of them. */
const TOPIC = `${new URL(HUB_URL).pathname}/subscriptions`;
const PERIOD = 2_000;

/** The most subscribers that are shown of one topic. */
const MOST = 20;

/** Those who are subscribed, and what has changed since the hub was asked before. */
interface People {
  readonly present: readonly Subscription[];
  readonly gone: readonly Subscription[];
  /** The ids of those who have come. */
  readonly come: ReadonlySet<string>;
}

/** Who is subscribed to what, as far as the hub tells this reader; who has come or gone lately stands out. */
export function Subscribers({ session }: { session: Session }): JSX.Element {
  const people = useSignal<People | undefined>(undefined);
  const tag = useSignal('');
  const isAway = useSignal(false);
  const load = async (): Promise<boolean> => {
    const headers = tag.value ? { headers: { 'if-none-match': tag.value } } : {};
    const response = await session.ask(PATH, headers).catch(() => undefined);
    const before = people.value?.present;
    isAway.value = response === undefined || response.status >= 500;
    if (!response || isAway.value) return true;
    if (response.status === 304) {
      people.value = since(before, before ?? []);
      return true;
    }
    tag.value = response.headers.get('etag') ?? '';
    const answer = response.ok ? ((await response.json()) as { subscriptions: Subscription[] }) : undefined;
    people.value = answer && since(before, answer.subscriptions);
    return answer !== undefined;
  };
  usePolling(load, PERIOD, [session.identity.value, session.openedAt.value]);
  if (isAway.value) return <p class="help">{t('problem_unreachable')}</p>;
  if (!people.value)
    return <p class="help">{t('subscribersRefused', { setting: SUBSCRIPTIONS_SETTING, topic: TOPIC })}</p>;
  const { present, gone, come } = people.value;
  if (present.length + gone.length === 0) return <p class="help">{t('noSubscribers')}</p>;
  return (
    <ul class="people" id="people">
      {byTopic([...present, ...gone]).map(([topic, all]) => (
        <li key={topic}>
          <span class="mono">
            <Breakable text={visible(topic)} />
          </span>{' '}
          <span class="badge">{all.filter((one) => !gone.includes(one)).length}</span>
          <ul>
            {all.slice(0, MOST).map((one) => (
              <Person key={one.id} one={one} change={gone.includes(one) ? 'left' : come.has(one.id) ? 'joined' : ''} />
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}

function Person({ one, change }: { one: Subscription; change: 'joined' | 'left' | '' }): JSX.Element {
  return (
    <li class={change}>
      <span class="mono faint">{visible(one.subscriber.slice(-12))}</span>
      {one.payload !== undefined && <span class="mono"> {visible(JSON.stringify(one.payload))}</span>}
      {change !== '' && <span class="badge">{t(change)}</span>}
    </li>
  );
}

function since(before: readonly Subscription[] | undefined, present: readonly Subscription[]): People {
  const known = new Set(before?.map(({ id }) => id));
  const still = new Set(present.map(({ id }) => id));
  return {
    present,
    gone: (before ?? []).filter(({ id }) => !still.has(id)),
    // At the first answer nobody is new: all of them were there before.
    come: new Set(before && [...still].filter((id) => !known.has(id))),
  };
}

function byTopic(subscriptions: readonly Subscription[]): [string, Subscription[]][] {
  const topics = new Map<string, Subscription[]>();
  for (const one of subscriptions) topics.set(one.match, [...(topics.get(one.match) ?? []), one]);
  return [...topics];
}
