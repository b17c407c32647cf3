import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { HUB_URL } from '../src/page-places.js';
import { saveText } from './clipboard.js';
import { CopyButton } from './copy-button.js';
import { toCurl, toNdjson, toSubscribeCurl } from './exports.js';
import { parseFilter } from './filter.js';
import { HistoryBar, useHistory, useOlderOnScroll } from './history-bar.js';
import type { LogEntry, LogMessage, MessageLog } from './message-log.js';
import { privacyOf } from './privacy.js';
import { Rows } from './rows.js';
import { matcherOf, type Session } from './session.js';
import { t } from './translation.js';
import { VisibleEntries } from './visible-entries.js';

interface LogProps {
  /** The prefix of the ids of the log's elements, as there may be two logs. */
  readonly name: string;
  readonly title: string;
  readonly session: Session;
  readonly filter: Signal<string>;
  readonly selected: Signal<LogMessage | undefined>;
  readonly onChoose: (message: LogMessage | undefined) => void;
  readonly announce: (sentence: string) => void;
}

/** What a paused log goes on to show, whatever the log drops meanwhile. */
interface Snapshot {
  readonly entries: readonly LogEntry[];
  /** The serial of its last entry. */
  readonly last: number;
  /** What the log's generation was: of a log that was cleared nothing is shown any more. */
  readonly generation: number;
}

/** The log. Only the rows in sight are in the document. */
export function LogView({ name, title, session, filter, selected, onChoose, announce }: LogProps): JSX.Element {
  const paused = useSignal<Snapshot | undefined>(undefined);
  const history = useHistory(session);
  const visible = useComputed(() => {
    // What is put before the other entries is filtered together with them, page by page.
    void history.pages.value;
    return new VisibleEntries(session.log, parseFilter(filter.value), paused.value?.last ?? Infinity);
  });
  const frozen = useComputed(() => {
    const wanted = parseFilter(filter.value);
    return wanted ? paused.value?.entries.filter(wanted) : paused.value?.entries;
  });
  const drawn = useFrame(session.version);
  const current = visible.value.update();
  const isPaused = paused.value?.generation === session.log.generation;
  const entries = (isPaused ? frozen.value : undefined) ?? current;
  const togglePause = (): void => {
    paused.value = isPaused ? undefined : snapshotOf(session.log);
  };
  const clear = (): void => {
    session.clear();
    if (isPaused) paused.value = snapshotOf(session.log);
  };
  return (
    <section class="log" aria-labelledby={`${name}-title`} {...useOlderOnScroll(history)}>
      <Toolbar {...{ name, title, session, filter, selected, announce, isPaused, togglePause, clear, entries }}>
        {isPaused ? t('paused', { n: visible.value.newer }) : t('shown', { n: entries.length })}
      </Toolbar>
      {session.log.dropped > 0 && <p class="help">{t('dropped', { n: session.log.dropped })}</p>}
      <HistoryBar name={name} session={session} history={history} state={history.stateNow()} />
      {hasNews(entries) ? (
        <Rows
          name={name}
          drawn={drawn}
          entries={entries}
          count={entries.length}
          selected={selected}
          onChoose={onChoose}
          isPaused={isPaused}
          filter={filter.value}
        />
      ) : (
        <Empty session={session} isFiltered={hasNews(session.log.entries)} announce={announce} />
      )}
    </section>
  );
}

interface ToolbarProps extends Omit<LogProps, 'onChoose'> {
  /** What is shown. */
  readonly entries: readonly LogEntry[];
  readonly isPaused: boolean;
  readonly togglePause: () => void;
  readonly clear: () => void;
  /** Says how much that is. */
  readonly children: ComponentChildren;
}

function Toolbar({ name, title, filter, isPaused, entries, children, ...more }: ToolbarProps): JSX.Element {
  return (
    <div class="toolbar">
      <h2 id={`${name}-title`}>{title}</h2>
      <span class="faint shown" id={`${name}-shown`}>
        {children}
      </span>
      <input
        type="search"
        id={`${name}-filter`}
        aria-label={t('filter')}
        placeholder={t('filterHint')}
        value={filter.value}
        onInput={({ currentTarget }) => (filter.value = currentTarget.value)}
      />
      <button type="button" id={`${name}-pause`} onClick={more.togglePause}>
        {isPaused ? t('resume') : t('pause')}
      </button>
      <button type="button" id={`${name}-clear`} onClick={more.clear}>
        {t('clear')}
      </button>
      <button type="button" id={`${name}-export`} onClick={() => void exportAll(entries, more.session)}>
        {t('export')}
      </button>
      <CopyCurl name={name} session={more.session} selected={more.selected} announce={more.announce} />
    </div>
  );
}

async function exportAll(entries: readonly LogEntry[], session: Session): Promise<void> {
  const messages = entries.filter((entry) => entry.kind === 'message');
  const isPrivate = await privacyOf(messages, (path) => session.ask(path));
  saveText('herald-messages.ndjson', 'application/x-ndjson', toNdjson(messages, isPrivate));
}

function snapshotOf({ entries, generation }: MessageLog): Snapshot {
  return { entries: [...entries], last: entries.at(-1)?.serial ?? 0, generation };
}

/** Whether there is more than where a section begins or ends. */
function hasNews(entries: readonly LogEntry[]): boolean {
  return entries.some((entry) => entry.kind === 'message' || (entry.mark !== 'connected' && entry.mark !== 'left'));
}

/**
 * Renders again when `version` has changed, at most once a frame, and not while the page is hidden.
 * @returns a number that is another one each time.
 */
function useFrame(version: Signal<number>): number {
  const drawn = useSignal(0);
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
  // Reading the signal has the component rendered again when it changes.
  return drawn.value;
}

type CopyProps = Pick<LogProps, 'name' | 'session' | 'selected' | 'announce'>;

function CopyCurl({ name, session, selected, announce }: CopyProps): JSX.Element {
  const command = (): string => {
    const message = selected.value;
    return message ? toCurl(HUB_URL, message) : toSubscribeCurl(HUB_URL, session.topics.value.map(matcherOf));
  };
  return <CopyButton id={`${name}-curl`} label={t('copyCurl')} text={command} announce={announce} />;
}

interface EmptyProps extends Pick<LogProps, 'session' | 'announce'> {
  /** Whether there is something that the filter leaves out. */
  readonly isFiltered: boolean;
}

/** What to do when there is nothing to see. */
function Empty({ session, isFiltered, announce }: EmptyProps): JSX.Element {
  if (isFiltered) return <p class="empty">{t('noMatch')}</p>;
  const [topic] = session.topics.value;
  if (!topic) return <p class="empty">{t('noTopics')}</p>;
  if (!session.isWanted.value || session.needsToken.value) return <p class="empty">{t('noConnection')}</p>;
  const example = topic.kind === 'exact' && topic.text !== '*' ? topic.text : 'https://example.com/hello';
  const command = toCurl(HUB_URL, { topic: example, type: 'message', text: '{"hello":"world"}' });
  return (
    <div class="empty">
      <p>{t('noMessages')}</p>
      <pre class="mono">{command}</pre>
      <CopyButton label={t('copy')} text={() => command} announce={announce} />
    </div>
  );
}
