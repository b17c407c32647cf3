import { effect, signal, useSignalEffect } from '@preact/signals';
import { type JSX, render } from 'preact';
import type { Language } from '../src/language.js';
import { Administration } from './administration.js';
import { formatAddress, isConsole, type Panel, PANELS, parseAddress } from './address.js';
import { Charts } from './charts.js';
import { ConnectionBar, LOOKS } from './connection-bar.js';
import './console.css';
import { Detail } from './detail.js';
import './inspection.css';
import { LogView } from './log-view.js';
import type { LogMessage } from './message-log.js';
import { Publication } from './publication.js';
import { PublishForm } from './publish-form.js';
import { SecondReader } from './second-reader.js';
import { isSame, Session } from './session.js';
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

/** Shows the detail of a message that the reader has chosen. */
function show(message: LogMessage | undefined): void {
  if (!message) return;
  shown.value = message;
  panel.value = 'detail';
}

function Console(): JSX.Element {
  useSignalEffect(() => show(selected.value));
  useSignalEffect(() => show(secondSelected.value));
  return (
    <>
      <ConnectionBar name="console" label={t('connection')} session={session} since={since.value}>
        {!second.value && (
          <button type="button" id="second" title={t('secondNote')} onClick={() => (second.value = new Session())}>
            {t('second')}
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
            announce={announce}
          />
          {second.value && (
            <SecondReader
              first={session}
              session={second.value}
              since={since}
              filter={filter}
              selected={secondSelected}
              announce={announce}
              onClose={() => (second.value = undefined)}
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

/** The arrow keys go from tab to tab. */
function onTabKey(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const next = PANELS[(PANELS.indexOf(panel.value) + step + PANELS.length) % PANELS.length] ?? 'publish';
  panel.value = next;
  document.getElementById(`tab-${next}`)?.focus();
}

function Tabs(): JSX.Element {
  return (
    <div role="tablist" aria-label={t('detail')} class="tabs" onKeyDown={onTabKey}>
      {PANELS.map((name) => (
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
  if (panel.value === 'detail') return <Detail message={shown.value} announce={announce} />;
  if (panel.value === 'topics') return <TopicList session={session} since={since} announce={announce} />;
  if (panel.value === 'token') return <TokenInspector session={session} />;
  if (panel.value === 'snippets')
    return <Snippets session={session} since={since} filter={filter} announce={announce} />;
  if (panel.value === 'charts') return <Charts session={session} />;
  if (panel.value === 'subscribers') return <Subscribers session={session} />;
  if (panel.value === 'admin') return <Administration session={session} />;
  return <PublishForm session={session} publication={publication} />;
}

/** Takes over what the address says, which the reader may have changed by hand. */
function readAddress(): void {
  if (!isConsole(location.hash)) return;
  const address = parseAddress(location.hash);
  since.value = address.since;
  filter.value = address.filter;
  panel.value = address.panel;
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

/** Puts the console into the page. Returns a function to call when the reader's language changes. */
export function startConsole(element: HTMLElement): (chosen: Language) => void {
  readAddress();
  publication = new Publication(session);
  addEventListener('hashchange', readAddress);
  effect(writeAddress);
  effect(() => showState(LOOKS[session.state.value]));
  summarize();
  render(<Console />, element);
  return (chosen) => (language.value = chosen);
}
