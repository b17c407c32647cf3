/** The words of a filter, by the part of a message in which they are looked for. In lower case. */
export interface Searched {
  readonly topic: readonly string[];
  readonly type: readonly string[];
  readonly text: readonly string[];
}

/** Reads a filter as `parseFilter` does, to show where its words are. */
export function searchedIn(filter: string): Searched {
  const topic: string[] = [];
  const type: string[] = [];
  const text: string[] = [];
  for (const word of filter.toLowerCase().split(/\s+/).filter(Boolean)) {
    if (word.startsWith('topic:')) topic.push(word.slice(6));
    else if (word.startsWith('type:')) type.push(word.slice(5));
    else {
      topic.push(word);
      type.push(word);
      text.push(word, ...valueIn(word));
    }
  }
  return { topic: topic.filter(Boolean), type: type.filter(Boolean), text: text.filter(Boolean) };
}

/** Of `path=value`, the value is in the text. */
function valueIn(word: string): string[] {
  const sign = word.indexOf('=');
  return sign > 0 ? [word.slice(sign + 1)] : [];
}

/** A part of a text, from one character to the one before another. */
interface Found {
  readonly from: number;
  readonly to: number;
}

/** The first place, from `start` on, where one of the words is. The longest where several begin there. */
export function firstOf(text: string, words: readonly string[], start = 0): Found | undefined {
  if (words.length === 0) return undefined;
  const lower = text.toLowerCase();
  // Some letters are longer in lower case, after which places would be others.
  if (lower.length !== text.length) return undefined;
  let found: Found | undefined;
  for (const word of words) {
    const from = lower.indexOf(word, start);
    if (from === -1) continue;
    const to = from + word.length;
    if (!found || from < found.from || (from === found.from && to > found.to)) found = { from, to };
  }
  return found;
}
