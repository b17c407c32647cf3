import { type Signal, useSignal } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { LogEntry, LogMark, LogMessage } from './message-log.js';
import { ReadingPlace } from './reading-place.js';
import { formatDuration, formatMoment, formatTime, t } from './translation.js';
import { firstAfter } from './visible-entries.js';
import { ROW_HEIGHT, windowOf } from './window.js';

/** Pixels from the end within which the reader counts as being at the end. */
const NEAR = ROW_HEIGHT;

export interface RowsProps {
  /** The name of the log, see `LogProps`. */
  readonly name: string;
  readonly entries: readonly LogEntry[];
  readonly count: number;
  readonly selected: Signal<LogMessage | undefined>;
  readonly isPaused: boolean;
}

/** Rows of which only those in sight are in the document. */
export function Rows({ name, entries, count, selected, isPaused }: RowsProps): JSX.Element {
  const scroll = useScroll(entries, count);
  const { first, end } = windowOf(count, scroll.top, scroll.height);
  const select = (index: number): void => {
    const entry = entries[Math.max(0, Math.min(count - 1, index))];
    if (entry?.kind === 'message') selected.value = entry;
    scroll.show(index);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const chosen = selected.value;
    const current = chosen ? firstAfter(entries, chosen.serial - 1) : count;
    select(nextMessage(entries, count, current, step));
  };
  const shown = entries.slice(first, end);
  scroll.place.draw(first, shown);
  const isActiveShown = shown.some(({ serial }) => serial === selected.value?.serial);
  return (
    <div class="rows-frame">
      <div
        class="rows"
        id={`${name}-rows`}
        ref={scroll.element}
        role="listbox"
        tabIndex={0}
        aria-labelledby={`${name}-title`}
        aria-activedescendant={isActiveShown ? `${name}-row-${selected.value?.serial}` : undefined}
        onScroll={scroll.onScroll}
        onKeyDown={onKeyDown}
      >
        <div role="presentation" class="spacer" style={{ height: `${count * ROW_HEIGHT}px` }}>
          <div role="presentation" class="drawn" style={{ transform: `translateY(${first * ROW_HEIGHT}px)` }}>
            {shown.map((entry, index) => (
              <Row
                key={entry.serial}
                id={`${name}-row-${entry.serial}`}
                entry={entry}
                position={first + index + 1}
                isSelected={entry.serial === selected.value?.serial}
                onSelect={() => select(first + index)}
              />
            ))}
          </div>
        </div>
      </div>
      {scroll.unseen > 0 && !isPaused && (
        <button type="button" class="jump" onClick={scroll.follow}>
          {t('newMessages', { n: scroll.unseen })} ↓
        </button>
      )}
    </div>
  );
}

interface Scroll {
  readonly element: RefObject<HTMLDivElement | null>;
  /** Pixels. */
  readonly top: number;
  readonly height: number;
  readonly place: ReadingPlace;
  /** Rows that came below while the reader was elsewhere. */
  readonly unseen: number;
  readonly onScroll: () => void;
  readonly follow: () => void;
  /** Brings a row into sight. */
  readonly show: (index: number) => void;
}

/** Follows the end while the reader is there, and otherwise keeps what is in sight where it is. */
function useScroll(entries: readonly LogEntry[], count: number): Scroll {
  const element = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 600 });
  const isFollowing = useSignal(true);
  const newestSeen = useRef(0);
  const place = useMemo(() => new ReadingPlace(), []);
  useEffect(() => {
    const { current } = element;
    if (!current) return undefined;
    const observer = new ResizeObserver(() => (view.value = { ...view.value, height: current.clientHeight }));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    if (isFollowing.value) current.scrollTop = current.scrollHeight;
    else keepInPlace(current);
    if (isFollowing.value) newestSeen.current = entries[count - 1]?.serial ?? 0;
  });
  const keepInPlace = (current: HTMLElement): void => {
    const moved = place.movedIn(entries);
    if (moved === 0) return;
    current.scrollTop += ROW_HEIGHT * moved;
    view.value = { top: current.scrollTop, height: current.clientHeight };
  };
  const onScroll = (): void => {
    if (!element.current) return;
    const { scrollTop, clientHeight, scrollHeight } = element.current;
    isFollowing.value = scrollHeight - scrollTop - clientHeight <= NEAR;
    place.look(Math.floor(scrollTop / ROW_HEIGHT), entries);
    view.value = { top: scrollTop, height: clientHeight };
  };
  const { top, height } = view.value;
  return {
    element,
    place,
    top: isFollowing.value ? Math.max(0, count * ROW_HEIGHT - height) : top,
    height,
    unseen: isFollowing.value ? 0 : count - firstAfter(entries, newestSeen.current),
    onScroll,
    follow: () => {
      isFollowing.value = true;
      element.current?.focus();
    },
    show: (index) => bringIntoSight(element.current, index),
  };
}

function bringIntoSight(element: HTMLElement | null, index: number): void {
  if (!element) return;
  const top = index * ROW_HEIGHT;
  if (top < element.scrollTop) element.scrollTop = top;
  const bottom = top + ROW_HEIGHT - element.clientHeight;
  if (bottom > element.scrollTop) element.scrollTop = bottom;
}

/** The next message from `current` on in the direction of `step`, past the marks. */
function nextMessage(entries: readonly LogEntry[], count: number, current: number, step: number): number {
  const direction = Math.sign(step);
  let index = Math.max(0, Math.min(count - 1, current + step));
  while (entries[index]?.kind === 'mark' && index + direction >= 0 && index + direction < count) index += direction;
  return index;
}

interface RowProps {
  readonly id: string;
  readonly entry: LogEntry;
  readonly position: number;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

function Row({ id, entry, position, isSelected, onSelect }: RowProps): JSX.Element {
  const common = { id, role: 'option', 'aria-posinset': position, 'aria-setsize': -1 } as const;
  if (entry.kind === 'mark') {
    return (
      <div {...common} class="row mark" data-mark={entry.mark} aria-selected={false} aria-disabled={true}>
        {textOfMark(entry)}
      </div>
    );
  }
  return (
    <div {...common} class="row" data-history={entry.isHistory} aria-selected={isSelected} onClick={onSelect}>
      <span class="at" title={entry.isHistory && formatMoment(entry.at)}>
        {formatTime(entry.at)}
      </span>
      <span class="topic" title={entry.topic}>
        {entry.topic}
      </span>
      <span class="type">{entry.type === 'message' ? '' : entry.type}</span>
      <span class="text">{entry.text.slice(0, 300)}</span>
      <span class="extra">
        {entry.isHistory && <span class="badge">{t('history')}</span>}
        {entry.isReplayed && <span class="badge">{t('replayed')}</span>}
        {entry.latency !== undefined && t('milliseconds', { n: entry.latency })}
      </span>
    </div>
  );
}

function textOfGap({ updates, away }: LogMark): string {
  if (updates !== undefined) return t('markGapUpdates', { n: updates });
  return away === undefined ? t('markGap') : t('markGapAway', { duration: formatDuration(away) });
}

function textOfMark(entry: LogMark): string {
  if (entry.mark === 'lost') return t('markLost', { reason: t(`loss_${entry.loss ?? 'ended'}`) });
  if (entry.mark === 'gap') return textOfGap(entry);
  if (entry.mark === 'reset') return t('markReset');
  const back = { duration: formatDuration(entry.away ?? 0), n: entry.replayed ?? 0 };
  return entry.after === undefined ? t('markResumed', back) : t('markResumedAfter', { ...back, id: entry.after });
}
