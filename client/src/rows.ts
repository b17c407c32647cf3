import type { Break } from './cadence.js';
import type { Translator } from './language.js';

/** What the list of messages consists of. */
export type Row = { readonly timestamp: string } | Break;

/** The row as an element, whose text is in the translator's language. */
export function drawRow(row: Row, translator: Translator): HTMLElement {
  const element = document.createElement('p');
  if ('timestamp' in row) {
    const time = document.createElement('time');
    time.dateTime = row.timestamp;
    time.textContent = row.timestamp;
    element.append(translator.text('newMessage'), time);
    return element;
  }
  const duration = translator.duration(row.away);
  element.className = 'break';
  element.textContent =
    row.missed === undefined
      ? translator.text('away', { duration })
      : translator.count('missed', row.missed, { duration });
  return element;
}
