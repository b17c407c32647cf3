import fc from 'fast-check';

/** Half of them as they should be. */
export const often = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 1 }, { arbitrary: other, weight: 1 });

/** What has been the undoing of somebody before. */
const PIECES = [
  '',
  ' ',
  '\0',
  '\r\n',
  '\n\n',
  '\r\nx-injected: yes\r\n\r\n',
  '%',
  '%0',
  '%00',
  '%0d%0a',
  '%ff',
  '%ed%a0%80',
  '%c0%af',
  '%u0041',
  '+',
  ';',
  '&',
  '&&==&',
  '*',
  '..%2f..',
  'mercure',
  '.well-known/mercure/x',
  'earliest',
  '#',
  '\u202e',
  '\ufeff',
  '\ud83d\ude00',
  '-1',
  '1e999',
  '99999999999999999999',
  '__proto__',
  'constructor',
  'https://example.com/:id((?:a+)+)',
  'https://[::1',
  '{',
  '{+a}{?b*}',
  '(a|',
  ':a:b',
  'data: x\n\nid: evil',
];

export const VALUE = fc.oneof(
  fc.constantFrom(...PIECES),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc
    .tuple(fc.constantFrom('a', '%41', 'é', '(', '/', ':', '{a}'), fc.constantFrom(10, 300, 5_000))
    .map(([text, times]) => text.repeat(times)),
);

/** What is left of a value in JSON. */
export function jsonable(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null') as unknown;
  } catch {
    return null;
  }
}

export function nested(depth: number, open: string, close: string): string {
  return open.repeat(depth) + close.repeat(depth);
}
