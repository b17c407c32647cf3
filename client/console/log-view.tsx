import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { copyText, saveText } from './clipboard.js';
import { toCurl, toNdjson, toSubscribeCurl } from './exports.js';
import { parseFilter } from './filter.js';
import { HistoryBar, useHistory, useOlderOnScroll } from './history-bar.js';
import type { LogMessage } from './message-log.js';
import { Rows } from './rows.js';
import { HUB_URL, matcherOf, type Session } from './session.js';
import { t } from './translation.js';
import { firstAfter, VisibleEntries } from './visible-entries.js';

interface LogProps {
  /** The prefix of the ids of the log's elements, as there may be two logs. */
  readonly name: string;
  readonly title: string;
  readonly session: Session;
  readonly filter: Signal<string>;
  readonly selected: Signal<LogMessage | undefined>;
  readonly announce: (sentence: string) => void;
}

/** The log. Only the rows in sight are in the document. */
export function LogView({ name, title, session, filter, selected, announce }: LogProps): JSX.Element {
  const pausedAt = useSignal<number | undefined>(undefined);
  const history = useHistory(session);
  // What is put before the other entries is filtered together with them, page by page.
  const visible = useComputed(
    () => (void history.pages.value, new VisibleEntries(session.log, parseFilter(filter.value))),
  );
  useFrame(session.version);
  const all = visible.value.update();
  const limit = pausedAt.value;
  const count = limit === undefined ? all.length : firstAfter(all, limit);
  const togglePause = (): void => {
    pausedAt.value = limit === undefined ? (session.log.entries.at(-1)?.serial ?? 0) : undefined;
  };
  return (
    <section class="log" aria-labelledby={`${name}-title`} {...useOlderOnScroll(history)}>
      <div class="toolbar">
        <h2 id={`${name}-title`}>{title}</h2>
        <span class="faint shown" id={`${name}-shown`}>
          {limit === undefined ? t('shown', { n: count }) : t('paused', { n: all.length - count })}
        </span>
        <input
          type="search"
          id={`${name}-filter`}
          aria-label={t('filter')}
          placeholder={t('filterHint')}
          value={filter.value}
          onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
        />
        <button type="button" id={`${name}-pause`} aria-pressed={limit !== undefined} onClick={togglePause}>
          {limit === undefined ? t('pause') : t('resume')}
        </button>
        <button type="button" id={`${name}-clear`} onClick={() => session.clear()}>
          {t('clear')}
        </button>
        <button
          type="button"
          id={`${name}-export`}
          onClick={() => saveText('herald-messages.ndjson', 'application/x-ndjson', toNdjson(all))}
        >
          {t('export')}
        </button>
        <CopyCurl name={name} session={session} selected={selected} announce={announce} />
      </div>
      {session.log.dropped > 0 && <p class="help">{t('dropped', { n: session.log.dropped })}</p>}
      <HistoryBar name={name} session={session} history={history} state={history.stateNow()} />
      {count === 0 ? (
        <Empty session={session} isFiltered={session.log.entries.length > 0} />
      ) : (
        <Rows
          name={name}
          entries={all}
          count={count}
          selected={selected}
          isPaused={limit !== undefined}
          filter={filter.value}
        />
      )}
    </section>
  );
}

/** Renders again when `version` has changed, at most once a frame, and not while the page is hidden. */
function useFrame(version: Signal<number>): void {
  const drawn = useSignal(0);
  // Reading the signal has the component rendered again when it changes.
  void drawn.value;
  useEffect(() => {
    let frame = 0;
    const end = version.subscribe(() => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        drawn.value += 1;
      });
    });
    return () => {
      cancelAnimationFrame(frame);
      end();
    };
  }, []);
}

function CopyCurl({ name, session, selected, announce }: Omit<LogProps, 'filter' | 'title'>): JSX.Element {
  const copy = async (): Promise<void> => {
    const message = selected.value;
    const command = message ? toCurl(HUB_URL, message) : toSubscribeCurl(HUB_URL, session.topics.value.map(matcherOf));
    if (await copyText(command)) announce(t('copied'));
  };
  return (
    <button type="button" id={`${name}-curl`} onClick={() => void copy()}>
      {t('copyCurl')}
    </button>
  );
}

/** What to do when there is nothing to see. */
function Empty({ session, isFiltered }: { session: Session; isFiltered: boolean }): JSX.Element {
  if (isFiltered) return <p class="empty">{t('noMatch')}</p>;
  const [topic] = session.topics.value;
  if (!topic) return <p class="empty">{t('noTopics')}</p>;
  const example = topic.kind === 'exact' && topic.text !== '*' ? topic.text : 'https://example.com/hello';
  const command = toCurl(HUB_URL, { topic: example, type: 'message', text: '{"hello":"world"}' });
  return (
    <div class="empty">
      <p>{t('noMessages')}</p>
      <pre class="mono">{command}</pre>
      <button type="button" onClick={() => void copyText(command)}>
        {t('copy')}
      </button>
    </div>
  );
}
