import type { TopicAddresses } from '../../topics/topic-lookup.js';
import { STATE_KEY } from './topic-keys.js';
import type { TopicTable } from './topic-table.js';

/** What the index belongs to. It is written with each change of the index. */
export interface TopicState {
  /** See {@link TopicAddresses.base}. */
  readonly base: string;
  /** Every update from this position on can be found, up to `upTo`. */
  readonly from: number;
  /** The index has the updates up to this position. */
  readonly upTo: number;
  /** Whether another index has to be removed first. */
  readonly isStale: boolean;
}

/** The state of the index on the disk; undefined when there is none. */
export function storedState(table: TopicTable): TopicState | undefined {
  const text = table.get(STATE_KEY);
  return text && (JSON.parse(text.toString()) as TopicState);
}

/** The state of the index for a log whose newest update is at `newest`. */
export function stateFor(table: TopicTable, { base }: TopicAddresses, newest: number): TopicState {
  const state = storedState(table);
  if (!state) return { base, from: 0, upTo: 0, isStale: false };
  return state.base === base && state.upTo <= newest ? state : { base, from: 0, upTo: 0, isStale: true };
}

export function encodeState(state: TopicState): Buffer {
  return Buffer.from(JSON.stringify(state));
}
