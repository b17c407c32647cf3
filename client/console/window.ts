/** The height of every row of the log. Pixels. */
export const ROW_HEIGHT = 28;

/** The same where each message has two lines, because the log is narrow. */
export const TALL_ROW_HEIGHT = 48;

/** Rows that are drawn above and below what can be seen, so that scrolling shows no empty ones. */
const MARGIN = 8;

export interface Window {
  readonly first: number;
  /** The row after the last one. */
  readonly end: number;
}

/** Which of `count` rows are drawn when `scrollTop` pixels are scrolled away and `height` pixels are visible. */
export function windowOf(count: number, scrollTop: number, height: number, rowHeight = ROW_HEIGHT): Window {
  const first = Math.max(0, Math.min(count, Math.floor(scrollTop / rowHeight)) - MARGIN);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + MARGIN);
  return { first, end: Math.max(first, end) };
}
