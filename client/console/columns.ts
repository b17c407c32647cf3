import type { LogEntry } from './message-log.js';
import { firstAfter } from './visible-entries.js';

/** The most characters that a column takes. */
const WIDEST = { topic: 36, type: 18 };

/** Characters from here on are two columns wide: those of East Asia, and symbols. */
const WIDE = 0x11_00;

/**
 * How wide the log's columns have to be for what has been in them, in characters. They only grow, until the log is
 * cleared: otherwise all rows would move whenever a long topic leaves or enters.
 */
export class Columns {
  /** The serials of the first and the last entry that were taken. */
  private first = Infinity;
  private last = -Infinity;
  /** What all topics that have one have in common: scheme and host. Null where they differ. */
  private common: string | null | undefined;
  private whole = 0;
  private withoutOrigin = 0;
  private longestType = 0;

  /** Takes what has come since the last call, after the other entries or before them. */
  update(entries: readonly LogEntry[]): void {
    const oldest = entries[0]?.serial ?? Infinity;
    // The log was cleared: nothing of what was looked at is left.
    if (oldest > this.last) this.forget();
    for (let index = firstAfter(entries, this.last); index < entries.length; index += 1) this.add(entries[index]);
    for (let index = firstAfter(entries, this.first - 1) - 1; index >= 0; index -= 1) this.add(entries[index]);
    this.first = Math.min(this.first, oldest);
    this.last = entries.at(-1)?.serial ?? this.last;
  }

  /** Scheme and host, where all topics have the same, so that no row needs to show them. */
  get origin(): string | undefined {
    return this.common ?? undefined;
  }

  /** Characters. */
  get topic(): number {
    return Math.min(WIDEST.topic, this.common === null ? this.whole : this.withoutOrigin);
  }

  /** Characters; 0 where no message has had a type of its own. */
  get type(): number {
    return Math.min(WIDEST.type, this.longestType);
  }

  private add(entry: LogEntry | undefined): void {
    if (entry?.kind !== 'message') return;
    const { topic, type } = entry;
    const origin = originOf(topic);
    if (origin !== '') this.common = this.common === undefined || this.common === origin ? origin : null;
    this.whole = Math.max(this.whole, widthOf(topic));
    // One more, for the sign that something is left out.
    this.withoutOrigin = Math.max(this.withoutOrigin, widthOf(topic.slice(origin.length)) + (origin === '' ? 0 : 1));
    if (type !== 'message') this.longestType = Math.max(this.longestType, widthOf(type));
  }

  private forget(): void {
    this.first = Infinity;
    this.last = -Infinity;
    this.common = undefined;
    this.whole = 0;
    this.withoutOrigin = 0;
    this.longestType = 0;
  }
}

/** "https://example.com" of "https://example.com/orders/1"; empty where a topic is no such address. */
export function originOf(topic: string): string {
  return /^[a-z][a-z\d+.-]*:\/\/[^/?#]+(?=\/)/i.exec(topic)?.[0] ?? '';
}

/** About how many columns a text takes, as far as that matters. */
function widthOf(text: string): number {
  let width = 0;
  for (let index = 0; index < text.length && width < WIDEST.topic; index += 1) {
    width += text.charCodeAt(index) < WIDE ? 1 : 2;
  }
  return width;
}
