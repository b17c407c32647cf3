import type { Peer } from './peers/peer.js';
import { say } from './say.js';
import type { Effort, Outcome, Scenario } from './scenarios/scenario.js';

const FAILED = '**failed**: ';

/** Measures once. A server that fails is reported and does not stop the others. */
export async function outcomeOf(scenario: Scenario, peer: Peer, effort: Effort): Promise<Outcome> {
  try {
    return await scenario.measure(peer, effort);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    say(`!!! ${peer.name} FAILED in (${scenario.id}): ${message}`);
    return { none: `${FAILED}${message}` };
  }
}

/** The measurement was begun and did not succeed, other than where a server does not offer what it measures. */
export function hasFailed(outcome: Outcome): boolean {
  return 'none' in outcome && outcome.none.startsWith(FAILED);
}
