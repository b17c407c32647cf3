import type { LogEntry } from './message-log.js';

/** Whether an entry is to be shown. Marks always are: without them the times between messages would mislead. */
export type Filter = (entry: LogEntry) => boolean;

/**
 * Reads a filter: words that all have to be in the text, the topic or the type. `topic:` and `type:` look in these
 * alone, and `customer.name=ann` compares the value at a path of JSON data. Undefined if there are no words.
 */
export function parseFilter(text: string): Filter | undefined {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return undefined;
  return (entry) => entry.kind === 'mark' || words.every((word) => isIn(word, entry));
}

function isIn(word: string, { topic, type, text }: Extract<LogEntry, { kind: 'message' }>): boolean {
  if (word.startsWith('topic:')) return topic.toLowerCase().includes(word.slice(6));
  if (word.startsWith('type:')) return type.toLowerCase().includes(word.slice(5));
  const sign = word.indexOf('=');
  if (sign > 0 && valueAt(text, word.slice(0, sign)) === word.slice(sign + 1)) return true;
  return [text, topic, type].some((part) => part.toLowerCase().includes(word));
}

/** What JSON has at a path of names and numbers, as lower-case text. */
function valueAt(text: string, path: string): string | undefined {
  try {
    const found = path.split('.').reduce<unknown>(memberOf, JSON.parse(text));
    return (typeof found === 'string' ? found : JSON.stringify(found)).toLowerCase();
  } catch {
    return undefined;
  }
}

/** The member of that name, whatever its case, because the words of a filter are in lower case. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key.toLowerCase() === name)?.[1];
}
