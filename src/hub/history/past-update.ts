import type { Update } from '../../storage/journal/update.js';

/** An update as somebody may see it who asks for it. */
export interface PastUpdate extends Omit<Update, 'topics'> {
  /** Those of its topics that the asker has named and may be told. */
  readonly topics: readonly string[];
  /** When it was published; undefined where the journal does not know. */
  readonly time: Date | undefined;
}

export function timeOf(storedAt: number | undefined): Date | undefined {
  return storedAt === undefined ? undefined : new Date(storedAt);
}
