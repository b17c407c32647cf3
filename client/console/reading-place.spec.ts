import { describe, expect, it } from '@jest/globals';
import type { LogEntry } from './message-log.js';
import { ReadingPlace } from './reading-place.js';

function entriesOf(...serials: readonly number[]): LogEntry[] {
  return serials.map((serial) => ({ kind: 'mark', serial, at: 0, mark: 'gap' }));
}

describe('ReadingPlace', () => {
  it('moves by the rows that come and go above it, and by no others', () => {
    const place = new ReadingPlace();
    const entries = entriesOf(1, 2, 3, 4, 5);
    place.draw(0, entries);
    place.look(2, entries);
    expect(place.movedIn(entriesOf(1, 2, 3, 4, 5, 6))).toBe(0);
    expect(place.movedIn(entriesOf(-1, 0, 1, 2, 3, 4, 5))).toBe(2);
    expect(place.movedIn(entriesOf(-1, 0, 1, 2, 3, 4, 5))).toBe(0);
    expect(place.movedIn(entriesOf(2, 3, 5))).toBe(-3);
  });

  it('is the row that was drawn there, also where the entries have changed since', () => {
    const place = new ReadingPlace();
    place.draw(2, entriesOf(3, 4, 5));
    // Two rows have gone, and the page has not been drawn again.
    place.look(3, entriesOf(3, 4, 5, 6));
    expect(place.movedIn(entriesOf(3, 4, 5, 6))).toBe(-2);
  });

  it('becomes the next row where its own has gone', () => {
    const place = new ReadingPlace();
    place.draw(0, entriesOf(1, 2, 3));
    place.look(1, entriesOf(1, 2, 3));
    expect(place.movedIn(entriesOf(3, 4))).toBe(-1);
  });
});
