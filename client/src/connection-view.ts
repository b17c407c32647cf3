import { byId, hide } from './dom.js';
import type { StreamState } from './event-stream.js';
import type { Translator } from './language.js';
import { setText } from './page-text.js';
import type { TextKey } from './texts.js';

/** How the state of the connection is shown. */
export interface Appearance {
  /** Chooses icon and colour. */
  readonly look: 'busy' | 'open' | 'lost' | 'failed';
  readonly word: TextKey;
  /** Milliseconds until the next attempt. */
  readonly retryIn?: number;
  /** Whether the reader can do something about it. */
  readonly retryable: boolean;
  /** Whether it is announced to screen readers. */
  readonly announced: boolean;
}

/** Milliseconds for which a reconnection is not shown as a loss, because most are over by then. */
const GRACE = 5_000;

/** How `state` looks at `now`; `restarting` when the server has said that it is about to end. */
export function appearanceOf(state: StreamState, now: number, restarting: boolean): Appearance {
  const lost = {
    look: 'lost',
    word: restarting ? 'restarting' : 'lost',
    retryable: true,
    announced: true,
  } as const;
  const busy = { look: 'busy', retryable: false, announced: restarting } as const;
  switch (state.name) {
    case 'open':
      return { look: 'open', word: 'open', retryable: false, announced: true };
    case 'failed':
      // The failure is an alert, which screen readers read out anyway.
      return { look: 'failed', word: 'failed', retryable: true, announced: false };
    case 'waiting':
      return { ...lost, retryIn: Math.max(0, state.until - now) };
    case 'reconnecting':
      return now - state.since < GRACE ? { ...busy, word: restarting ? 'restarting' : 'reconnecting' } : lost;
    case 'connecting':
      // The look stays the same from one attempt to the next, so that it does not flicker.
      return state.again ? lost : { ...busy, word: 'connecting' };
    case 'closed':
      return { ...busy, word: 'connecting' };
  }
}

/** What the view needs from the page around it. */
export interface ConnectionOptions {
  readonly translator: () => Translator;
  /** Announces a sentence to screen readers. */
  readonly announce: (sentence: string) => void;
  readonly retry: () => void;
  /** Told whether the connection is lost, each time that it is drawn. */
  readonly onLost: (isLost: boolean) => void;
}

/** The connection's state in words, icon and colour, and the button that tries again. */
export class ConnectionView {
  private state: StreamState = { name: 'closed' };
  private restarting = false;
  private announced: TextKey | undefined;
  private readonly status = byId('connection', HTMLElement);
  private readonly word = byId('connection-word', HTMLElement);
  private readonly countdown = byId('countdown', HTMLElement);
  private readonly retry = byId('retry', HTMLButtonElement);
  private readonly failure = byId('failure', HTMLElement);
  private readonly messages = byId('messages', HTMLElement);

  constructor(private readonly options: ConnectionOptions) {
    this.retry.addEventListener('click', options.retry);
    setInterval(() => this.draw(), 500);
  }

  show(state: StreamState): void {
    this.state = state;
    if (state.name === 'open') this.restarting = false;
    this.draw();
  }

  /** The server has said that it is about to end. */
  serverRestarts(): void {
    this.restarting = true;
    this.draw();
  }

  draw(): void {
    const translator = this.options.translator();
    const shown = appearanceOf(this.state, performance.now(), this.restarting);
    this.status.dataset['look'] = shown.look;
    this.options.onLost(shown.look === 'lost' || shown.look === 'failed');
    setText(this.word, shown.word, translator);
    this.countdown.hidden = shown.retryIn === undefined;
    this.countdown.textContent = this.countdownText(shown.retryIn ?? 0);
    if (shown.retryable) this.retry.hidden = false;
    else hide(this.retry, this.messages);
    const failure = shown.look === 'failed' ? translator.text('failure') : '';
    // An alert is read out each time that it is set.
    if (this.failure.textContent !== failure) this.failure.textContent = failure;
    this.announce(shown);
  }

  private announce({ word, announced }: Appearance): void {
    if (!announced || word === this.announced) return;
    this.announced = word;
    this.options.announce(this.options.translator().text(word));
  }

  private countdownText(ms: number): string {
    const translator = this.options.translator();
    return translator.text('countdown', { duration: translator.duration(Math.ceil(ms / 1000) * 1000) });
  }
}
