import { byId } from './dom.js';
import type { Translator } from './language.js';
import type { ServerClock } from './server-clock.js';

/** Shows the server's time on the page, anew whenever its second changes. */
export class ClockFace {
  paused = false;
  private readonly time = byId('clock', HTMLTimeElement);
  private readonly date = byId('date', HTMLElement);
  private readonly latency = byId('latency', HTMLElement);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly clock: ServerClock,
    private readonly translator: () => Translator,
  ) {}

  draw(): void {
    clearTimeout(this.timer);
    const now = this.clock.at(performance.now());
    if (now === undefined) return;
    this.timer = setTimeout(() => this.draw(), 1000 - (now % 1000));
    if (this.paused) return;
    const translator = this.translator();
    const latency = this.clock.latency();
    this.time.dateTime = new Date(now).toISOString();
    this.time.textContent = translator.time(now);
    this.date.textContent = translator.date(now);
    this.latency.textContent = latency === undefined ? '–' : translator.latency(latency);
  }
}
