import type { PeerName } from './peers/peer.js';
import type { Goal, Outcome, ScenarioId } from './scenarios/scenario.js';
import { type Spread, spreadOf } from './statistics.js';

/** One scenario measured with one server in one run. */
export interface Result {
  readonly scenario: ScenarioId;
  readonly peer: PeerName;
  readonly run: number;
  readonly outcome: Outcome;
}

/** All that has been measured, and what can be asked of it. */
export class Results {
  private readonly results: Result[] = [];

  add(result: Result): void {
    this.results.push(result);
  }

  get all(): readonly Result[] {
    return this.results;
  }

  /** The spread of one figure over the runs; nothing when it has not been measured. */
  figure(scenario: ScenarioId, peer: PeerName, metric: string): Spread | undefined {
    return spreadOf(this.ofPeer(scenario, peer).flatMap((result) => figureOf(result, metric) ?? []));
  }

  /** The spread of Herald's figure divided by the peer's of the same run. */
  ratio(scenario: ScenarioId, peer: PeerName, metric: string): Spread | undefined {
    const own = this.ofPeer(scenario, 'herald');
    const ratios = this.ofPeer(scenario, peer).flatMap((result) => {
      const mine = own.find(({ run }) => run === result.run);
      const mineFigure = mine && figureOf(mine, metric);
      const figure = figureOf(result, metric);
      return mineFigure === undefined || figure === undefined ? [] : [mineFigure / figure];
    });
    return spreadOf(ratios);
  }

  /** Why a server has no figures in a scenario, if it says so. */
  reason(scenario: ScenarioId, peer: PeerName): string | undefined {
    for (const { outcome } of this.ofPeer(scenario, peer)) {
      if ('none' in outcome) return outcome.none;
    }
    return undefined;
  }

  /** What Herald reached of a goal, and whether that is enough (by the median); nothing when it was not measured. */
  reached(scenario: ScenarioId, goal: Goal): { readonly spread: Spread; readonly met: boolean } | undefined {
    const spread =
      goal.comparedTo === undefined
        ? this.figure(scenario, 'herald', goal.metric)
        : this.ratio(scenario, goal.comparedTo, goal.metric);
    if (spread === undefined) return undefined;
    const { atLeast = -Infinity, atMost = Infinity } = goal;
    return { spread, met: spread.median >= atLeast && spread.median <= atMost };
  }

  private ofPeer(scenario: ScenarioId, peer: PeerName): Result[] {
    return this.results.filter((result) => result.scenario === scenario && result.peer === peer);
  }
}

function figureOf({ outcome }: Result, metric: string): number | undefined {
  return 'figures' in outcome ? outcome.figures[metric] : undefined;
}
