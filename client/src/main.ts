import { Cadence } from './cadence.js';
import { rememberedChoice } from './choices.js';
import { ClockFace } from './clock-face.js';
import { ConnectionView } from './connection-view.js';
import { byId } from './dom.js';
import { EventStream, type StreamState } from './event-stream.js';
import { showIconOf } from './page-icon.js';
import { isLanguage, type Language, pickLanguage, Translator } from './language.js';
import { MessageList } from './message-list.js';
import { isInApplication } from './page-places.js';
import { setText, translatePage } from './page-text.js';
import { drawRow, type Row } from './rows.js';
import { ServerClock } from './server-clock.js';

/** Rows that are kept. */
const LIMIT = 200;
/** Milliseconds between two summaries for those who can't see the list. */
const SUMMARY_PERIOD = 30_000;
/** A stream counts as lost after this many intervals without a timestamp, and at least this many milliseconds. */
const SILENT_INTERVALS = 4;
const SHORTEST_SILENCE = 10_000;

let tellConsole: ((language: Language) => void) | undefined;
let translator = new Translator(pickLanguage(navigator.languages));
let isAside = false;
let received = 0;
let unannounced = 0;
let paused = false;

const clock = new ServerClock();
const cadence = new Cadence();
const clockFace = new ClockFace(clock, () => translator);
const announcer = byId('announcer', HTMLElement);
const count = byId('count', HTMLElement);
const pause = byId('pause', HTMLButtonElement);
const list = new MessageList<Row>({
  scroller: byId('messages', HTMLElement),
  jump: byId('jump', HTMLButtonElement),
  limit: LIMIT,
  draw: (row) => drawRow(row, translator),
  jumpLabel: (unseen) => translator.count('jump', unseen),
});
const stream = new EventStream('events', { types: ['message', 'herald'], onState, onEvent });
const connection = new ConnectionView({
  translator: () => translator,
  announce: (sentence) => (announcer.textContent = sentence),
  retry: () => stream.retryNow(),
  onLost: (isLost) => (clockFace.guessed = isLost),
});

function onState(state: StreamState): void {
  if (state.name === 'open') {
    cadence.opened(state.away);
    clock.reset();
  }
  connection.show(state);
}

function onEvent({ type, data }: MessageEvent<string>): void {
  const content = JSON.parse(data) as { readonly timestamp?: string; readonly type?: string };
  if (type === 'herald' && content.type === 'drain') connection.serverRestarts();
  if (type === 'message' && content.timestamp !== undefined) onTimestamp(content.timestamp);
}

function onTimestamp(timestamp: string): void {
  const time = Date.parse(timestamp);
  clock.add(time, performance.now());
  const missing = cadence.add(time);
  stream.silenceLimit = Math.max(SHORTEST_SILENCE, (cadence.interval ?? Infinity) * SILENT_INTERVALS);
  received += 1;
  unannounced += 1;
  if (missing) list.add(missing);
  list.add({ timestamp });
  drawNumbers();
}

function drawNumbers(): void {
  clockFace.draw();
  count.textContent = translator.count('received', received);
}

function summarize(): void {
  if (unannounced > 0 && !paused) announcer.textContent = translator.count('summary', unannounced);
  unannounced = 0;
}

function setLanguage(language: string): void {
  if (!isLanguage(language)) return;
  translator = new Translator(language);
  translatePage(translator);
  connection.draw();
  list.redraw();
  drawNumbers();
  tellConsole?.(translator.language);
}

function setPaused(value: boolean): void {
  paused = value;
  list.paused = value;
  setText(pause, value ? 'resume' : 'pause', translator);
}

/** Shows the view that the address names: the clock or the console. The clock's stream is closed behind the console. */
function showView(): void {
  const isNamed = location.hash.startsWith('#/console');
  if (isInApplication && !isNamed) history.replaceState(null, '', '#/console');
  const isConsole = isInApplication || isNamed;
  const view = isConsole ? 'console' : 'clock';
  document.documentElement.dataset['view'] = view;
  showIconOf(view);
  byId('simple', HTMLElement).hidden = isConsole;
  byId('console', HTMLElement).hidden = !isConsole;
  setText(byId('page-title', HTMLElement), isConsole ? 'consoleTitle' : 'title', translator);
  for (const link of document.querySelectorAll<HTMLAnchorElement>('nav a')) {
    link.ariaCurrent = link.dataset['view'] === view ? 'page' : null;
  }
  if (!isConsole) {
    if (isAside) stream.retryNow();
  } else {
    stream.close();
    void openConsole();
  }
  isAside = isConsole;
}

/** An application has no stream of the time: the console is the page. */
function leaveClockOut(): void {
  document.querySelector('nav')?.remove();
  setText(byId('page-title', HTMLElement), 'consoleTitle', translator);
}

/** Loads the console when it is first opened, because the clock needs none of it. */
async function openConsole(): Promise<void> {
  if (tellConsole) return;
  const { startConsole } = await import('../console/console.js');
  tellConsole ??= startConsole(byId('console', HTMLElement));
  tellConsole(translator.language);
}

/** Tries again at once, because the network or the reader is back. */
function hurry(): void {
  if (isAside) return;
  const { name } = stream.state;
  if (name === 'waiting' || name === 'failed') stream.retryNow();
}

if (isInApplication) leaveClockOut();
rememberedChoice(byId('language', HTMLSelectElement), translator.language, setLanguage);
rememberedChoice(byId('theme', HTMLSelectElement), 'system', (theme) => {
  document.documentElement.dataset['theme'] = theme;
});
byId('curl', HTMLElement).textContent = `curl -N ${new URL('events', document.baseURI).href}`;
pause.addEventListener('click', () => setPaused(!paused));
setInterval(summarize, SUMMARY_PERIOD);
addEventListener('online', hurry);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') hurry();
});
// A page in the back/forward cache would keep its connection open without ever reading from it.
addEventListener('pagehide', () => stream.close());
addEventListener('pageshow', ({ persisted }) => {
  if (persisted && !isAside) stream.retryNow();
});
addEventListener('hashchange', showView);
showView();
if (!isAside) stream.retryNow();
