/** Where a list is shown, how, and how many entries it keeps. */
export interface ListOptions<Entry> {
  /** The element that scrolls and holds the rows. */
  readonly scroller: HTMLElement;
  /** Shown while the reader looks at older rows; leads back to the newest. */
  readonly jump: HTMLElement;
  /** How many entries are kept. */
  readonly limit: number;
  readonly draw: (entry: Entry) => HTMLElement;
  readonly jumpLabel: (unseen: number) => string;
}

/** Pixels from the end that still count as the end, because browsers round when they zoom. */
const SLACK = 8;

/** A list that holds the newest entries, and follows them unless the reader has scrolled up. */
export class MessageList<Entry> {
  private readonly entries: Entry[] = [];
  private following = true;
  private unseen = 0;
  /** What has come in since the list was paused. */
  private held: Entry[] | undefined;

  constructor(private readonly options: ListOptions<Entry>) {
    const { scroller, jump } = options;
    scroller.addEventListener('scroll', () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.settle()).observe(scroller);
    jump.addEventListener('click', () => {
      this.follow();
      // The button is about to be hidden, and must not take the keyboard's focus with it.
      scroller.focus({ preventScroll: true });
    });
  }

  add(entry: Entry): void {
    const { scroller, draw } = this.options;
    if (this.held) {
      this.keep(entry, this.held);
      return;
    }
    const full = this.keep(entry, this.entries);
    scroller.append(draw(entry));
    if (full) this.removeOldest();
    if (!this.following) this.unseen += 1;
    this.settle();
    this.showUnseen();
  }

  /** Draws all rows again, in another language for example. */
  redraw(): void {
    const { scroller, draw } = this.options;
    const { scrollTop } = scroller;
    scroller.replaceChildren(...this.entries.map(draw));
    scroller.scrollTop = scrollTop;
    this.settle();
    this.showUnseen();
  }

  /** While paused, entries are kept but not shown. */
  set paused(paused: boolean) {
    const held = this.held ?? [];
    this.held = paused ? held : undefined;
    if (!paused) for (const entry of held) this.add(entry);
  }

  /** Adds the entry, and returns whether the oldest one had to go. */
  private keep(entry: Entry, entries: Entry[]): boolean {
    entries.push(entry);
    const full = entries.length > this.options.limit;
    if (full) entries.shift();
    return full;
  }

  private removeOldest(): void {
    const { scroller } = this.options;
    const height = scroller.scrollHeight;
    scroller.firstElementChild?.remove();
    // The rows that the reader looks at stay where they are.
    if (!this.following) scroller.scrollTop -= height - scroller.scrollHeight;
  }

  private scrolled(): void {
    const { scroller } = this.options;
    const toEnd = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
    this.following = toEnd <= SLACK;
    if (this.following) this.unseen = 0;
    this.showUnseen();
  }

  private follow(): void {
    this.following = true;
    this.unseen = 0;
    this.settle();
    this.showUnseen();
  }

  /** Scrolls to the end, unless the reader has scrolled up. */
  private settle(): void {
    const { scroller } = this.options;
    if (this.following) scroller.scrollTop = scroller.scrollHeight;
  }

  private showUnseen(): void {
    const { jump, jumpLabel } = this.options;
    jump.hidden = this.unseen === 0;
    jump.textContent = jumpLabel(this.unseen);
  }
}
