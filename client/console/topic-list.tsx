import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { HTMLAttributes, JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { ADMIN_SETTING } from '../src/page-places.js';
import { MAX_TOPICS, type Topic } from './address.js';
import { Breakable } from './breakable.js';
import { clock, usePolling } from './hooks.js';
import { isSame, type Session } from './session.js';
import { arrange, type Column, COLUMNS, keepOrder, type Order, type TopicFacts } from './topic-facts.js';
import { MOST_TOPICS, TopicSource } from './topic-source.js';
import { formatDuration, formatNumber, t } from './translation.js';
import { visible } from './visible-text.js';

interface TopicListProps {
  readonly session: Session;
  readonly since: Signal<string>;
  readonly announce: (sentence: string) => void;
}

const PERIOD = 3_000;

/** Rows of a page. */
const PAGE = 50;

const COLUMN_TITLES = { topic: 'topic', count: 'topicCount', rate: 'topicRate', last: 'topicLast' } as const;

/** Which topics there are, to be searched, sorted and followed. */
export function TopicList({ session, since, announce }: TopicListProps): JSX.Element {
  const identity = session.identity.value;
  const source = useMemo(() => new TopicSource((path) => session.ask(path), session.log), [session, identity]);
  const search = useSignal('');
  const order = useSignal<Order>({ column: 'last', isDescending: true });
  const page = useSignal(0);
  const hold = useHeldOrder();
  const { topics, isFromHub, hasMore } = source.topics.value;
  // The hub is asked at once for what is searched only where the page has not got everything.
  usePolling(() => void source.load(search.value), PERIOD, [source, hasMore ? search.value : '']);
  const rows = hold.arrange(arrange(topics, search.value, order.value));
  const first = Math.min(page.value, Math.max(0, Math.ceil(rows.length / PAGE) - 1)) * PAGE;
  const anew = (change: () => void): void => {
    hold.forget();
    page.value = 0;
    change();
  };
  return (
    <div class="topic-list">
      <input
        type="search"
        id="topic-search"
        aria-label={t('topicSearch')}
        placeholder={t('topicSearch')}
        value={search.value}
        onInput={({ currentTarget }) => anew(() => (search.value = currentTarget.value.trim()))}
      />
      <p class="help" id="topic-source" data-source={isFromHub ? 'hub' : 'session'}>
        {isFromHub ? t('topicsOfHub') : t('topicsOfSession', { setting: ADMIN_SETTING })}{' '}
        {hasMore && t('topicsMore', { n: MOST_TOPICS })}
      </p>
      {rows.length === 0 ? (
        <p class="help">{t(topics.length === 0 ? 'topicsNone' : 'topicsNoMatch')}</p>
      ) : (
        <div class="table-frame" tabIndex={0} role="region" aria-label={t('topicList')}>
          <table>
            <Head order={order.value} onSort={(column) => anew(() => (order.value = sortedBy(column, order.value)))} />
            <tbody {...hold.handlers}>
              {rows.slice(first, first + PAGE).map((facts) => (
                <Row key={facts.topic} facts={facts} session={session} since={since} announce={announce} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > PAGE && <Pages first={first} count={rows.length} onPage={(next) => (page.value = next)} />}
    </div>
  );
}

/** Another column begins with its largest value, and names begin with the first. */
function sortedBy(column: Column, { column: before, isDescending }: Order): Order {
  return { column, isDescending: column === before ? !isDescending : column !== 'topic' };
}

interface HeldOrder {
  readonly arrange: (rows: readonly TopicFacts[]) => readonly TopicFacts[];
  readonly forget: () => void;
  readonly handlers: HTMLAttributes<HTMLTableSectionElement>;
}

/** While the pointer or the focus is on the rows, they keep their places: nobody is to follow another topic than meant. */
function useHeldOrder(): HeldOrder {
  const isPointed = useSignal(false);
  const isFocused = useSignal(false);
  const isHeld = useComputed(() => isPointed.value || isFocused.value);
  const places = useRef<readonly string[]>([]);
  return {
    arrange: (rows) => {
      const kept = isHeld.value && places.current.length > 0 ? keepOrder(rows, places.current) : rows;
      places.current = kept.map(({ topic }) => topic);
      return kept;
    },
    forget: () => (places.current = []),
    handlers: {
      onPointerEnter: () => (isPointed.value = true),
      onPointerLeave: () => (isPointed.value = false),
      onFocusIn: () => (isFocused.value = true),
      onFocusOut: () => (isFocused.value = false),
    },
  };
}

function Head({ order, onSort }: { order: Order; onSort: (column: Column) => void }): JSX.Element {
  const direction = order.isDescending ? 'descending' : 'ascending';
  return (
    <thead>
      <tr>
        {COLUMNS.map((column) => (
          <th key={column} scope="col" aria-sort={order.column === column ? direction : 'none'}>
            <button
              type="button"
              title={column === 'rate' ? t('topicRateNote') : undefined}
              onClick={() => onSort(column)}
            >
              {t(COLUMN_TITLES[column])}
              <span aria-hidden="true">{order.column === column ? (order.isDescending ? ' ↓' : ' ↑') : ''}</span>
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Row({ facts, session, since, announce }: TopicListProps & { facts: TopicFacts }): JSX.Element {
  const { topic, count, rate, last, readers } = facts;
  const own: Topic = { kind: 'exact', text: topic };
  const isFollowed = session.topics.value.some((one) => isSame(one, own));
  const toggle = (): void => {
    if (isFollowed) session.remove(own);
    else session.add(own, since.value);
    announce(t(isFollowed ? 'topicUnfollowed' : 'topicFollowed', { topic }));
  };
  return (
    <tr>
      <td>
        <button
          type="button"
          class="mono"
          aria-pressed={isFollowed}
          disabled={!isFollowed && session.topics.value.length >= MAX_TOPICS}
          title={t(isFollowed ? 'topicUnfollow' : 'topicFollow', { topic })}
          onClick={toggle}
        >
          <Breakable text={visible(topic)} />
        </button>
        {readers !== undefined && <small>{t('topicReaders', { n: readers })}</small>}
      </td>
      <td>{formatNumber(count)}</td>
      <td>{rate === undefined ? t('none') : formatNumber(rate)}</td>
      <td>{last === undefined ? t('none') : t('ago', { duration: formatDuration(clock.value - last) })}</td>
    </tr>
  );
}

function Pages({
  first,
  count,
  onPage,
}: {
  first: number;
  count: number;
  onPage: (page: number) => void;
}): JSX.Element {
  const page = first / PAGE;
  return (
    <div class="actions">
      <button type="button" disabled={page === 0} onClick={() => onPage(page - 1)}>
        {t('previousPage')}
      </button>
      <small>{t('topicsPage', { first: first + 1, last: Math.min(count, first + PAGE), n: count })}</small>
      <button type="button" disabled={first + PAGE >= count} onClick={() => onPage(page + 1)}>
        {t('nextPage')}
      </button>
    </div>
  );
}
