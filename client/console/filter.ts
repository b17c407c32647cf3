import type { LogEntry } from './message-log.js';

/** Whether an entry is to be shown. Marks always are: without them the times between messages would mislead. */
export type Filter = (entry: LogEntry) => boolean;

/** Words that all have to be in the text, the topic or the type; `topic:` and `type:` look there alone. */
export function parseFilter(text: string): Filter | undefined {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return undefined;
  return (entry) => entry.kind === 'mark' || words.every((word) => isIn(word, entry));
}

function isIn(word: string, { topic, type, text }: Extract<LogEntry, { kind: 'message' }>): boolean {
  if (word.startsWith('topic:')) return topic.toLowerCase().includes(word.slice(6));
  if (word.startsWith('type:')) return type.toLowerCase().includes(word.slice(5));
  return [text, topic, type].some((part) => part.toLowerCase().includes(word));
}
