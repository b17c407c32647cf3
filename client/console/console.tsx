import { effect, type Signal, signal } from '@preact/signals';
import { type JSX, render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Language } from '../src/language.js';
import { hasAdmin } from '../src/page-places.js';
import { Administration } from './administration.js';
import { formatAddress, isBare, isConsole, type Panel, PANELS, parseAddress } from './address.js';
import { Charts } from './charts.js';
import { ConnectionBar, LOOKS } from './connection-bar.js';
import './console.css';
import './notes.css';
import { Detail } from './detail.js';
import './inspection.css';
import { keepFocus } from './keep-focus.js';
import { LogView } from './log-view.js';
import type { LogMessage } from './message-log.js';
import { Publication } from './publication.js';
import { PublishForm } from './publish-form.js';
import { SecondReader } from './second-reader.js';
import { isSame, Session } from './session.js';
import { ShortLabel } from './short-label.js';
import { Snippets } from './snippets-panel.js';
import { showState } from './state-icon.js';
import { Subscribers } from './subscribers.js';
import { TokenInspector } from './token-inspector.js';
import { TopicList } from './topic-list.js';
import { Topics } from './topics.js';
import { language, t } from './translation.js';

/** Milliseconds between two summaries for those who can't see the log. */
const SUMMARY_PERIOD = 10_000;

const PANEL_TITLES = {
  publish: 'publish',
  topics: 'topics',
  detail: 'detail',
  charts: 'charts',
  subscribers: 'subscribers',
  token: 'inspector',
  snippets: 'snippets',
  admin: 'admin',
} as const;

/** The panels that there are here. */
const TABS = PANELS.filter((name) => hasAdmin || name !== 'admin');

const session = new Session();
const since = signal('');
const filter = signal('');
const panel = signal<Panel>('publish');
/** The message whose detail is shown. */
const shown = signal<LogMessage | undefined>(undefined);
/** The message that is chosen in each log. */
const selected = signal<LogMessage | undefined>(undefined);
const secondSelected = signal<LogMessage | undefined>(undefined);
const second = signal<Session | undefined>(undefined);
const announcement = signal('');
let publication: Publication;

const announce = (sentence: string): void => {
  announcement.value = sentence;
};

/** Shows the detail of a message that the reader has chosen, and nothing once none is. */
function show(message: LogMessage | undefined): void {
  shown.value = message;
  if (message) panel.value = 'detail';
}

/** Takes a message over into the form. */
function publishAgain(message: LogMessage): void {
  publication.takeOver(message);
  panel.value = 'publish';
}

/** What was chosen is forgotten with the log that had it. */
function forgetCleared({ log, version }: Session, chosen: Signal<LogMessage | undefined>): () => void {
  let { generation } = log;
  return effect(() => {
    void version.value;
    if (log.generation === generation) return;
    generation = log.generation;
    if (shown.peek() === chosen.peek()) shown.value = undefined;
    chosen.value = undefined;
  });
}

/** What only the second reader had chosen is not shown any more. */
function closeSecond(): void {
  if (shown.value === secondSelected.value) shown.value = undefined;
  secondSelected.value = undefined;
  second.value = undefined;
}

function Console(): JSX.Element {
  useEffect(() => forgetCleared(session, selected), []);
  useEffect(() => second.value && forgetCleared(second.value, secondSelected), [second.value]);
  return (
    <>
      <ConnectionBar name="console" label={t('connection')} session={session} since={since.value}>
        {!second.value && (
          <button
            type="button"
            id="second"
            title={t('secondNote')}
            aria-label={t('second')}
            data-heir=".second button"
            onClick={() => (second.value = new Session())}
          >
            <ShortLabel long={t('second')} short={t('secondShort')} />
          </button>
        )}
      </ConnectionBar>
      <Topics session={session} since={since} />
      <div class="panes">
        <div class="logs">
          <LogView
            name="log"
            title={t('log')}
            session={session}
            filter={filter}
            selected={selected}
            onChoose={show}
            announce={announce}
          />
          {second.value && (
            <SecondReader
              first={session}
              session={second.value}
              since={since}
              filter={filter}
              selected={secondSelected}
              onChoose={show}
              announce={announce}
              onClose={closeSecond}
            />
          )}
        </div>
        <aside>
          <Tabs />
          <div role="tabpanel" id="panel" aria-labelledby={`tab-${panel.value}`} tabIndex={0}>
            <PanelContent />
          </div>
        </aside>
      </div>
      <p class="unseen" role="status" id="console-announcer">
        {announcement.value}
      </p>
    </>
  );
}

/** The arrow keys go from tab to tab, Home and End to the first and the last one. */
function onTabKey(event: KeyboardEvent): void {
  const current = TABS.indexOf(panel.value);
  const index = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: -1 }[event.key];
  const next = index === undefined ? undefined : TABS.at(index % TABS.length);
  if (next === undefined) return;
  event.preventDefault();
  panel.value = next;
  document.getElementById(`tab-${next}`)?.focus();
}

function Tabs(): JSX.Element {
  return (
    <div role="tablist" aria-label={t('panels')} class="tabs" onKeyDown={onTabKey}>
      {TABS.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={panel.value === name}
          aria-controls="panel"
          tabIndex={panel.value === name ? 0 : -1}
          onClick={() => (panel.value = name)}
        >
          {t(PANEL_TITLES[name])}
        </button>
      ))}
    </div>
  );
}

function PanelContent(): JSX.Element {
  if (panel.value === 'topics') return <TopicList session={session} since={since} announce={announce} />;
  if (panel.value === 'token') return <TokenInspector session={session} />;
  if (panel.value === 'snippets')
    return <Snippets session={session} since={since} filter={filter} announce={announce} />;
  if (panel.value === 'detail') {
    return <Detail message={shown.value} session={session} announce={announce} onAgain={publishAgain} />;
  }
  if (panel.value === 'charts') return <Charts session={session} />;
  if (panel.value === 'subscribers') return <Subscribers session={session} />;
  if (panel.value === 'admin') return <Administration session={session} />;
  return <PublishForm session={session} publication={publication} />;
}

/** Takes over what the address says, which the reader may have changed by hand. */
function readAddress(): void {
  if (!isConsole(location.hash)) return;
  if (isBare(location.hash)) {
    writeAddress();
    return;
  }
  const address = parseAddress(location.hash);
  since.value = address.since;
  filter.value = address.filter;
  panel.value = TABS.includes(address.panel) ? address.panel : 'publish';
  if (address.second !== (second.value !== undefined)) second.value = address.second ? new Session() : undefined;
  for (const topic of session.topics.peek())
    if (!address.topics.some((one) => isSame(one, topic))) session.remove(topic);
  for (const topic of address.topics) {
    try {
      session.add(topic, address.since);
    } catch {
      // The pattern is invalid: somebody has typed it, and sees that it is not among the topics.
    }
  }
}

function writeAddress(): void {
  const address = formatAddress({
    topics: session.topics.value,
    since: since.value,
    filter: filter.value,
    panel: panel.value === 'detail' ? 'publish' : panel.value,
    second: second.value !== undefined,
  });
  if (isConsole(location.hash) && location.hash !== address) history.replaceState(null, '', address);
}

function summarize(): void {
  let told = session.log.received;
  setInterval(() => {
    const { received } = session.log;
    if (received > told) announce(t('summary', { n: received - told }));
    told = received;
  }, SUMMARY_PERIOD);
}

/** The name of the view, in the reader's language, is the page's title as well. */
function nameTab(): void {
  document.title = document.querySelector('h1')?.textContent ?? document.title;
}

/** Puts the console into the page. Returns a function to call when the reader's language changes. */
export function startConsole(element: HTMLElement): (chosen: Language) => void {
  readAddress();
  publication = new Publication(session);
  addEventListener('hashchange', readAddress);
  addEventListener('hashchange', nameTab);
  effect(writeAddress);
  effect(() => showState(LOOKS[session.state.value]));
  summarize();
  render(<Console />, element);
  keepFocus(element);
  return (chosen) => {
    language.value = chosen;
    nameTab();
  };
}
