import { type Signal, useSignal } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { LogEntry, LogMessage } from './message-log.js';
import { textOfMark } from './mark-text.js';
import { formatTime, t } from './translation.js';
import { firstAfter } from './visible-entries.js';
import { visible } from './visible-text.js';
import { ROW_HEIGHT, windowOf } from './window.js';

/** Pixels from the end within which the reader counts as being at the end. */
const NEAR = ROW_HEIGHT;

/** By how many rows the keys go. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -Infinity,
  End: Infinity,
  Enter: 0,
};

export interface RowsProps {
  /** The name of the log, see `LogProps`. */
  readonly name: string;
  readonly entries: readonly LogEntry[];
  readonly count: number;
  readonly selected: Signal<LogMessage | undefined>;
  /** Called with each message that is chosen, also with the one that is selected already, and with none. */
  readonly onChoose: (message: LogMessage | undefined) => void;
  readonly isPaused: boolean;
}

/** Rows of which only those in sight are in the document. */
export function Rows({ name, entries, count, selected, onChoose, isPaused }: RowsProps): JSX.Element {
  const scroll = useScroll(entries, count);
  const { first, end } = windowOf(count, scroll.top, scroll.height);
  const { active, go, onKeyDown } = useChoice({ entries, count, selected, onChoose }, scroll.show);
  const shown = entries.slice(first, end);
  const isActiveShown = shown.some(({ serial }) => serial === active);
  return (
    <div class="rows-frame">
      <div
        class="rows"
        id={`${name}-rows`}
        ref={scroll.element}
        role="listbox"
        tabIndex={0}
        aria-labelledby={`${name}-title`}
        aria-activedescendant={isActiveShown ? `${name}-row-${active}` : undefined}
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
                isActive={entry.serial === active}
                onSelect={() => go(first + index)}
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

interface Choice {
  /** The serial of the row where the keys are, which may be a mark. */
  readonly active: number | undefined;
  readonly go: (index: number) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

type ChoiceProps = Pick<RowsProps, 'entries' | 'count' | 'selected' | 'onChoose'>;

/** Goes from row to row by keys, and chooses the messages among them. Escape chooses none. */
function useChoice({ entries, count, selected, onChoose }: ChoiceProps, show: (index: number) => void): Choice {
  const active = useSignal(selected.value?.serial);
  const choose = (entry: LogEntry | undefined): void => {
    active.value = entry?.serial;
    if (entry?.kind === 'mark') return;
    selected.value = entry;
    onChoose(entry);
  };
  const go = (index: number): void => {
    choose(entries[index]);
    show(index);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') choose(undefined);
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const current = active.value === undefined ? count : firstAfter(entries, active.value - 1);
    go(Math.max(0, Math.min(count - 1, current + step)));
  };
  return { active: active.value, go, onKeyDown };
}

interface Scroll {
  readonly element: RefObject<HTMLDivElement | null>;
  /** Pixels. */
  readonly top: number;
  readonly height: number;
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
  const seen = useRef({ oldest: 0, newest: 0 });
  const oldest = entries[0]?.serial ?? 0;
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
    else current.scrollTop -= ROW_HEIGHT * trimmedSince(entries, seen.current.oldest, oldest);
    seen.current.oldest = oldest;
    if (isFollowing.value) seen.current.newest = entries[count - 1]?.serial ?? 0;
  });
  const onScroll = (): void => {
    if (!element.current) return;
    const { scrollTop, clientHeight, scrollHeight } = element.current;
    isFollowing.value = scrollHeight - scrollTop - clientHeight <= NEAR;
    view.value = { top: scrollTop, height: clientHeight };
  };
  const { top, height } = view.value;
  return {
    element,
    top: isFollowing.value ? Math.max(0, count * ROW_HEIGHT - height) : top,
    height,
    unseen: isFollowing.value ? 0 : count - firstAfter(entries, seen.current.newest),
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

/** How many rows have gone at the top. */
function trimmedSince(entries: readonly LogEntry[], before: number, oldest: number): number {
  if (before === 0 || oldest === before) return 0;
  const newest = entries.at(-1)?.serial ?? oldest;
  // An estimate: serials grow by one, and the filter is taken to leave out about as many entries everywhere.
  return Math.round(((oldest - before) / Math.max(1, newest - oldest)) * entries.length);
}

interface RowProps {
  readonly id: string;
  readonly entry: LogEntry;
  readonly position: number;
  readonly isSelected: boolean;
  /** Whether the keys are here. */
  readonly isActive: boolean;
  readonly onSelect: () => void;
}

function Row({ id, entry, position, isSelected, isActive, onSelect }: RowProps): JSX.Element {
  const common = {
    id,
    role: 'option',
    'aria-posinset': position,
    'aria-setsize': -1,
    'data-active': isActive,
  } as const;
  if (entry.kind === 'mark') {
    return (
      <div {...common} class="row mark" data-mark={entry.mark} aria-selected={false}>
        {textOfMark(entry)}
      </div>
    );
  }
  return (
    <div {...common} class="row" aria-selected={isSelected} onClick={onSelect}>
      <span class="at">{formatTime(entry.at)}</span>
      <span class="topic" title={visible(entry.topic)}>
        {visible(entry.topic)}
      </span>
      <span class="type">{entry.type === 'message' ? '' : visible(entry.type)}</span>
      <span class="text">{visible(entry.text.slice(0, 300))}</span>
      <span class="extra">
        {entry.isReplayed && <span class="badge">{t('replayed')}</span>}
        {entry.latency !== undefined && t('milliseconds', { n: entry.latency })}
      </span>
    </div>
  );
}
