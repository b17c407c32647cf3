import { type Signal, useSignal } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Cells } from './cells.js';
import { Columns } from './columns.js';
import { textOfMark } from './mark-text.js';
import type { LogEntry, LogMessage } from './message-log.js';
import { ReadingPlace } from './reading-place.js';
import { type Searched, searchedIn } from './searched.js';
import { t } from './translation.js';
import { firstAfter } from './visible-entries.js';
import { ROW_HEIGHT, TALL_ROW_HEIGHT, windowOf } from './window.js';

/** Pixels from the end within which the reader counts as being at the end. */
const NEAR = ROW_HEIGHT;

/** Pixels of width below which a message has two lines. */
const NARROW = 640;

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
  /** Another number whenever something about the entries has changed, because the array stays the same one. */
  readonly drawn: number;
  readonly entries: readonly LogEntry[];
  readonly count: number;
  readonly selected: Signal<LogMessage | undefined>;
  /** Called with each message that is chosen, also with the one that is selected already, and with none. */
  readonly onChoose: (message: LogMessage | undefined) => void;
  readonly isPaused: boolean;
  /** What the entries were filtered by, to show where it is. */
  readonly filter: string;
}

/** Rows of which only those in sight are in the document. */
export function Rows({ name, entries, count, selected, onChoose, isPaused, filter }: RowsProps): JSX.Element {
  const scroll = useScroll(entries, count);
  const { rowHeight } = scroll;
  const { first, end } = windowOf(count, scroll.top, scroll.height, rowHeight);
  const columns = useMemo(() => new Columns(), [entries]);
  const searched = useMemo(() => searchedIn(filter), [filter]);
  columns.update(entries);
  const { active, onClick, onKeyDown } = useChoice({ entries, count, selected, onChoose }, scroll.show);
  const shown = entries.slice(first, end);
  scroll.place.draw(first, shown);
  const isActiveShown = shown.some(({ serial }) => serial === active);
  return (
    <div class="rows-frame">
      <div
        class="rows"
        id={`${name}-rows`}
        ref={scroll.element}
        role="listbox"
        tabIndex={0}
        data-tall={rowHeight === TALL_ROW_HEIGHT}
        style={{ '--row': `${rowHeight}px`, ...widthsOf(columns) }}
        aria-labelledby={`${name}-title`}
        aria-activedescendant={isActiveShown ? `${name}-row-${active}` : undefined}
        onScroll={scroll.onScroll}
        onClick={onClick}
        onKeyDown={onKeyDown}
      >
        <div role="presentation" class="spacer" style={{ height: `${count * rowHeight}px` }}>
          <div role="presentation" class="drawn" style={{ transform: `translateY(${first * rowHeight}px)` }}>
            {shown.map((entry, index) => (
              <Row
                key={entry.serial}
                id={`${name}-row-${entry.serial}`}
                entry={entry}
                position={first + index + 1}
                isSelected={entry.serial === selected.value?.serial}
                isActive={entry.serial === active}
                latency={entry.kind === 'message' ? entry.latency : undefined}
                searched={searched}
                origin={columns.origin}
              />
            ))}
          </div>
        </div>
      </div>
      {scroll.unseen > 0 && !isPaused && <Jump {...scroll} />}
    </div>
  );
}

/**
 * The index of the row in which something has happened, or NaN. One listener is for all rows, because a row with a function of
 * its own would be drawn again with each message that comes.
 */
function indexOf({ target }: Event): number {
  const position = target instanceof Element ? target.closest('.row')?.getAttribute('aria-posinset') : undefined;
  return Number(position ?? NaN) - 1;
}

function Jump({ unseen, follow }: Scroll): JSX.Element {
  return (
    <button type="button" class="jump" onClick={follow}>
      {t('newMessages', { n: unseen })} ↓
    </button>
  );
}

/** The widths of the columns, for the style sheet. */
function widthsOf({ topic, type }: Columns): Record<string, string> {
  return { '--topic': widthOf(topic, '35%'), '--type': widthOf(type, '20%') };
}

/** The gap behind a column is part of it, so that one without anything in it takes no room. */
function widthOf(characters: number, most: string): string {
  return characters === 0 ? '0px' : `min(${characters + 0.5}ch + 0.75rem, ${most})`;
}

interface Choice {
  /** The serial of the row where the keys are, which may be a mark. */
  readonly active: number | undefined;
  readonly onClick: (event: Event) => void;
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
  const onClick = (event: Event): void => {
    const index = indexOf(event);
    if (entries[index]?.kind === 'message') go(index);
  };
  return { active: active.value, onClick, onKeyDown };
}

interface Scroll {
  readonly element: RefObject<HTMLDivElement | null>;
  /** Pixels. */
  readonly top: number;
  readonly height: number;
  readonly place: ReadingPlace;
  readonly rowHeight: number;
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
  const view = useSignal({ top: 0, height: 600, rowHeight: ROW_HEIGHT });
  const isFollowing = useSignal(true);
  const newestSeen = useRef(0);
  const place = useMemo(() => new ReadingPlace(), []);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return undefined;
    const measure = (): void => {
      const { clientHeight: height, clientWidth } = current;
      view.value = { ...view.value, height, rowHeight: clientWidth < NARROW ? TALL_ROW_HEIGHT : ROW_HEIGHT };
    };
    // Before anything is drawn, so that no row is seen with another height first.
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const { rowHeight } = view.value;
  const heightBefore = useRef(rowHeight);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    if (!isFollowing.value) current.scrollTop *= rowHeight / heightBefore.current;
    heightBefore.current = rowHeight;
    if (isFollowing.value) current.scrollTop = current.scrollHeight;
    else keepInPlace(current);
    if (isFollowing.value) newestSeen.current = entries[count - 1]?.serial ?? 0;
  });
  const keepInPlace = (current: HTMLElement): void => {
    const moved = place.movedIn(entries);
    if (moved === 0) return;
    current.scrollTop += rowHeight * moved;
    view.value = { ...view.value, top: current.scrollTop, height: current.clientHeight };
  };
  const onScroll = (): void => {
    if (!element.current) return;
    const { scrollTop, clientHeight, scrollHeight } = element.current;
    isFollowing.value = scrollHeight - scrollTop - clientHeight <= NEAR;
    place.look(Math.floor(scrollTop / rowHeight), entries);
    view.value = { ...view.value, top: scrollTop, height: clientHeight };
  };
  const { top, height } = view.value;
  return {
    element,
    place,
    top: isFollowing.value ? Math.max(0, count * rowHeight - height) : top,
    height,
    rowHeight,
    unseen: isFollowing.value ? 0 : count - firstAfter(entries, newestSeen.current),
    onScroll,
    follow: () => {
      isFollowing.value = true;
      element.current?.focus();
    },
    show: (index) => bringIntoSight(element.current, index, rowHeight),
  };
}

function bringIntoSight(element: HTMLElement | null, index: number, rowHeight: number): void {
  if (!element) return;
  const top = index * rowHeight;
  if (top < element.scrollTop) element.scrollTop = top;
  const bottom = top + rowHeight - element.clientHeight;
  if (bottom > element.scrollTop) element.scrollTop = bottom;
}

interface RowProps {
  readonly id: string;
  readonly entry: LogEntry;
  readonly position: number;
  readonly isSelected: boolean;
  readonly searched: Searched;
  readonly origin: string | undefined;
  /** Whether the keys are here. */
  readonly isActive: boolean;
  /** That of the entry, which is known later than the entry: without it here the row would not be drawn again. */
  readonly latency: number | undefined;
}

function Row({ id, entry, position, isSelected, isActive, searched, origin }: RowProps): JSX.Element {
  const common = {
    id,
    role: 'option',
    'aria-posinset': position,
    'aria-setsize': -1,
    'data-active': isActive,
  } as const;
  if (entry.kind === 'mark') {
    const text = textOfMark(entry);
    return (
      <div {...common} class="row mark" data-mark={entry.mark} title={text} aria-selected={false}>
        {text}
      </div>
    );
  }
  return (
    <div {...common} class="row" data-history={entry.isHistory} aria-selected={isSelected}>
      <Cells message={entry} searched={searched} origin={origin} />
    </div>
  );
}
