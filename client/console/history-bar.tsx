import { useSignalEffect } from '@preact/signals';
import type { HTMLAttributes, JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { HUB_PATH } from '../src/page-places.js';
import { HistoryPages, type PastState } from './history-pages.js';
import { isRefused } from './is-refused.js';
import { matcherOf, type Session } from './session.js';
import { t } from './translation.js';
import { ROW_HEIGHT } from './window.js';

const PATH = `${HUB_PATH}/history`;

/** The longest query that is sent in the address: a longer one goes in a body, for which proxies have more room. */
const LONGEST_QUERY = 4_000;

/** Pixels from the beginning of the log within which older messages are asked for. */
const NEAR = 4 * ROW_HEIGHT;

/** The pages that are older than a session's log. */
export function useHistory(session: Session): HistoryPages {
  const history = useMemo(() => {
    const ask = (query: URLSearchParams): Promise<Response> =>
      query.toString().length > LONGEST_QUERY
        ? session.ask(PATH, { method: 'QUERY', body: query })
        : session.ask(`${PATH}?${query.toString()}`);
    const matchers = (): [string, string][] => {
      const topics = session.isWanted.peek() ? session.topics.peek() : [];
      return topics.filter((topic) => !isRefused(session, topic)).map(matcherOf);
    };
    return new HistoryPages(session.log, ask, matchers);
  }, [session]);
  useSignalEffect(() => {
    void session.identity.value;
    void session.topics.value;
    history.reset();
  });
  return history;
}

/** Has older messages asked for when the reader scrolls up at the beginning of the log, by whatever means. */
export function useOlderOnScroll(history: HistoryPages): HTMLAttributes<HTMLElement> {
  const top = useRef(0);
  const ask = (): void => {
    if (history.stateNow() === 'ready') void history.older();
  };
  return {
    onScrollCapture: ({ target }) => {
      if (!isRows(target)) return;
      const { scrollTop, clientHeight, scrollHeight } = target;
      // At the end of the log nobody goes up: it has become shorter.
      const isUp = scrollTop < top.current && scrollTop + clientHeight < scrollHeight - 1;
      top.current = scrollTop;
      if (isUp && scrollTop <= NEAR) ask();
    },
    onWheel: ({ target, deltaY }) => {
      const rows = target instanceof Element ? target.closest('.rows') : null;
      if (rows && deltaY < 0 && rows.scrollTop <= NEAR) ask();
    },
    onKeyDown: ({ target, key }) => {
      if (isRows(target) && ['ArrowUp', 'PageUp', 'Home'].includes(key) && isAtFirst(target)) ask();
    },
  };
}

function isRows(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && target.classList.contains('rows');
}

/** Whether the first message is chosen already, when a key is to lead further up. */
function isAtFirst(rows: HTMLElement): boolean {
  const first = rows.scrollTop <= NEAR ? rows.querySelector('.row') : null;
  return first !== null && first.id === rows.getAttribute('aria-activedescendant');
}

const SENTENCES = {
  loading: 'olderLoading',
  end: 'olderEnd',
  gone: 'olderGone',
  full: 'olderFull',
  absent: 'olderAbsent',
  refused: 'olderRefused',
  failed: 'olderFailed',
} as const;

interface HistoryBarProps {
  /** The name of the log, see `LogProps`. */
  readonly name: string;
  readonly session: Session;
  readonly history: HistoryPages;
  readonly state: PastState;
}

/** What there is before the first message of the log, and how to get it. */
export function HistoryBar({ name, session, history, state }: HistoryBarProps): JSX.Element | null {
  if (!session.identity.value || session.topics.value.length === 0) return null;
  const isOffered = state === 'ready' || state === 'failed';
  // Until messages have come, the number of the last page says nothing.
  const came = state === 'ready' && history.came > 0 ? t('olderCame', { n: history.came }) : '';
  return (
    <div class="older" id={`${name}-older`} data-state={state}>
      {(isOffered || state === 'loading') && (
        <button type="button" aria-disabled={!isOffered} onClick={() => void history.older()}>
          ↑ {t('older')}
        </button>
      )}
      <span role="status">{state === 'ready' ? came : t(SENTENCES[state], { status: String(history.status) })}</span>
    </div>
  );
}
