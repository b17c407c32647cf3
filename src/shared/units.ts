const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

/** `2s`, `500ms`, `1.5h` in milliseconds; undefined when the text is no duration. A bare `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION_UNITS);
}

/** `64mb`, `512kb`, `1gb` (powers of 1024) in bytes; undefined when the text is no size. A bare `0` needs no unit. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, SIZE_UNITS);
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]+)$/i.exec(text.trim());
  const unit = match?.[2]?.toLowerCase() ?? '';
  return match && Object.hasOwn(units, unit) ? Math.round(Number(match[1]) * (units[unit] ?? NaN)) : undefined;
}
