import { byId } from './dom.js';
import type { Translator } from './language.js';
import type { ServerClock } from './server-clock.js';

/** Shows the server's time on the page, anew whenever its second changes. */
export class ClockFace {
  private isGuessed = false;
  private readonly time = byId('clock', HTMLTimeElement);
  private readonly date = byId('date', HTMLElement);
  private readonly latency = byId('latency', HTMLElement);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly clock: ServerClock,
    private readonly translator: () => Translator,
  ) {}

  /** Whether nothing is heard of the server, so that its time is worked out from what it was. */
  set guessed(isGuessed: boolean) {
    if (this.isGuessed === isGuessed) return;
    this.isGuessed = isGuessed;
    this.draw();
  }

  draw(): void {
    clearTimeout(this.timer);
    const now = this.clock.at(performance.now());
    if (now === undefined) return;
    this.timer = setTimeout(() => this.draw(), 1000 - (now % 1000));
    const translator = this.translator();
    const latency = this.clock.latency();
    this.time.dateTime = new Date(now).toISOString();
    this.time.textContent = translator.time(now);
    this.time.dataset['guessed'] = String(this.isGuessed);
    this.date.textContent = this.isGuessed
      ? translator.text('guessed', { time: translator.time(this.clock.heard ?? now) })
      : translator.date(now);
    this.latency.textContent = latency === undefined ? '–' : translator.latency(latency);
  }
}
