import type { Topic } from './address.js';

/** What a program does. */
export interface SnippetSubject {
  readonly hubUrl: string;
  /** Where the service has the client library. */
  readonly libraryUrl: string;
  /** What is subscribed to; where it is empty, everything. */
  readonly topics: readonly Topic[];
  /** Where to begin: empty, `earliest`, an id, or `#20` for the newest 20. */
  readonly since: string;
  /** The only type of updates that is wanted; empty for every type. */
  readonly type: string;
  /** Whether reading takes the token. Publishing always does. */
  readonly needsToken: boolean;
}

/** What the programs for publishing publish. */
export interface SnippetUpdate {
  readonly topic: string;
  readonly data: string;
  /** `message` is the usual one. */
  readonly type: string;
}

/** Lines of code. What is false is left out. */
export function code(...lines: readonly (string | false)[]): string {
  return lines
    .filter((line) => line !== false)
    .map((line) => `${line}\n`)
    .join('');
}

/** A string literal of JavaScript, Python and Go alike, in quotation marks. */
export function literal(text: string): string {
  return JSON.stringify(text);
}

/** A string literal of PHP, in which no variable is replaced. */
export function phpLiteral(text: string): string {
  return `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;
}
