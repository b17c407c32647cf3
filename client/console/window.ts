/** The height of every row of the log. Pixels; the style sheet says the same. */
export const ROW_HEIGHT = 28;

/** Rows that are drawn above and below what can be seen, so that scrolling shows no empty ones. */
const MARGIN = 8;

export interface Window {
  readonly first: number;
  /** The row after the last one. */
  readonly end: number;
}

/** Which of `count` rows are drawn when `scrollTop` pixels are scrolled away and `height` pixels are visible. */
export function windowOf(count: number, scrollTop: number, height: number): Window {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / ROW_HEIGHT)) - MARGIN);
  const end = Math.min(count, Math.ceil((scrollTop + height) / ROW_HEIGHT) + MARGIN);
  return { first, end: Math.max(first, end) };
}
