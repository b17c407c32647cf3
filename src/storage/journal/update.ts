import { Buffer } from 'node:buffer';

/** What a publisher hands in, checked: see `checkUpdate`. */
export interface Update {
  /** The first one is canonical (R2). */
  readonly topics: readonly string[];
  readonly data: string;
  readonly id: string;
  readonly private: boolean;
  readonly type?: string;
  /** Milliseconds. */
  readonly retry?: number;
  /** Where it belongs in a distributed trace, as the header of W3C Trace Context has it. */
  readonly traceparent?: string;
}

/** Bytes of an object with an update's fields, and of a string besides its characters with its place in a list. */
const OBJECT = 200;
const STRING = 40;

/**
 * About how many bytes of memory an update takes. Every log, page, queue and cache that holds updates counts with it, so
 * that no shape of an update makes one of them hold more than it may.
 */
export function weightOf(update: Update): number {
  if (update !== weighed) {
    weighed = update;
    weight = weigh(update);
  }
  return weight;
}

/** What was weighed last: a journal and the log of what is recent weigh the same update one after the other. */
let weighed: Update | undefined;
let weight = 0;

function weigh({ topics, data, id, type, traceparent }: Update): number {
  let sum = OBJECT + weightOfText(data) + weightOfText(id) + weightOfText(type) + weightOfText(traceparent);
  for (const topic of topics) sum += weightOfText(topic);
  return sum;
}

/** V8 keeps text of ASCII in one byte for each character, and most other text in two. */
export function weightOfText(text: string | undefined): number {
  if (text === undefined) return 0;
  return STRING + (Buffer.byteLength(text) === text.length ? text.length : 2 * text.length);
}
