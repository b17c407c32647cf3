import { READER_COUNTS, fanOutMetrics, measureFanOut } from './fan-out.js';
import type { Scenario } from './scenario.js';

export const onePublisher: Scenario = {
  id: 'a',
  title: 'Fan-out, one publisher',
  explanation:
    'All readers on one topic; one publisher that waits for each answer; 100 bytes of data. Deliveries are counted by the readers, CPU is the server’s (user and system) until the last delivery.',
  metrics: READER_COUNTS.flatMap(fanOutMetrics),
  goals: READER_COUNTS.flatMap((readers) => [
    { metric: `rate${readers}`, comparedTo: 'nchan' as const, atLeast: 1.15 },
    { metric: `rate${readers}`, comparedTo: 'nest' as const, atLeast: 2 },
  ]),
  measure: async (peer, effort) => {
    const figures: Record<string, number> = {};
    for (const readers of READER_COUNTS) {
      Object.assign(figures, await measureFanOut(peer, effort, { readers, publishers: 1, checkOrder: false }));
    }
    return { figures };
  },
};
