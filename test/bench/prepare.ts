import type { Peer } from './peers/peer.js';
import type { Scenario } from './scenarios/scenario.js';

/** Lets each scenario prepare itself for the servers that it will measure, and collects what it has to say for the report. */
export async function prepareAll(
  scenarios: readonly Scenario[],
  peers: readonly Peer[],
): Promise<Map<Scenario, string>> {
  const notes = new Map<Scenario, string>();
  for (const scenario of scenarios) {
    const note = await scenario.prepare?.(peers);
    if (note !== undefined) notes.set(scenario, note);
  }
  return notes;
}
