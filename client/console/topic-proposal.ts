import type { Topic } from './address.js';

/** What an exact topic takes literally, and its writer probably not: a wildcard, or a placeholder of a URL. */
const PLACEHOLDER = /\*|(?<=\/):[A-Za-z_]\w*|\{[^{}/]*\}/;

/** A pattern in place of an exact topic that looks like one. */
export interface Proposal {
  readonly pattern: Topic;
  /** The part of the topic that looks like a pattern. */
  readonly part: string;
}

/** Proposes a pattern where an exact topic looks like one. `*` alone stands for all topics. */
export function proposalFor({ kind, text }: Topic): Proposal | undefined {
  const [part] = PLACEHOLDER.exec(text) ?? [];
  if (kind !== 'exact' || text === '*' || part === undefined) return undefined;
  // `{id}` is a variable of a URI template, which URL patterns write as `:id`.
  const pattern = text.replaceAll(/\{([^{}/]*)\}/g, (_whole, name: string) =>
    /^[A-Za-z_]\w*$/.test(name) ? `:${name}` : '*',
  );
  return { pattern: { kind: 'pattern', text: pattern }, part };
}
