import type { PlotOptions } from '../options.js';
import { plotConflation, plotConnecting, plotPublishing, plotStorms } from './cost-plots.js';
import { plotOwnTopics } from './own-topics-plots.js';

const PLOTS = { m: plotOwnTopics, n: plotConflation, o: plotPublishing, p: plotConnecting, q: plotStorms };

/** Measures and writes the plots of a scenario. Resolves with the exit status. */
export async function drawPlots(scenario: PlotOptions['plot']): Promise<number> {
  await PLOTS[scenario]();
  return 0;
}
