import type { Arrival, Departure, Entered, Lease, SharedState } from '../storage/state/shared-state.js';

/** Milliseconds. */
export const GRACE = 150;

export const arrival = (
  ref: number,
  key: string,
  isResuming = false,
  matchers: readonly string[] = [`exact:${key}`],
): Arrival => ({
  kind: 'enter',
  ref,
  key,
  details: JSON.stringify({ ref, text: 'línea\nand "more"' }),
  matchers,
  isResuming,
});

export const departure = (ref: number): Departure => ({ kind: 'leave', ref });

export async function listed(state: SharedState, after = 0, matchers?: readonly string[]): Promise<Lease[]> {
  const leases: Lease[] = [];
  for await (const lease of state.list(after, matchers)) leases.push(lease);
  return leases;
}

/** The numbers of leases with one of these matchers, in the order in which they are listed. */
export async function serialsOf(state: SharedState, matchers?: readonly string[], after = 0): Promise<number[]> {
  return (await listed(state, after, matchers)).map(({ serial }) => serial);
}

/** The changes as a state makes them that knows the process. */
export async function changed(state: SharedState, ...changes: (Arrival | Departure)[]): Promise<readonly Entered[]> {
  const entered = await state.change(changes);
  if (!entered) throw new Error('the process is not known');
  return entered;
}
