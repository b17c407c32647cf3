import { READER_COUNTS, fanOutMetrics, measureFanOut, orderMetrics } from './fan-out.js';
import type { Scenario } from './scenario.js';

const PUBLISHERS = 32;

export const manyPublishers: Scenario = {
  id: 'b',
  title: 'Fan-out, 32 publishers at once',
  explanation:
    'As (a), with 32 publishers that each wait for their own answers. Every reader checks that each publisher’s events come once and in order, and all readers must have seen one and the same order.',
  metrics: READER_COUNTS.flatMap((readers) => [...fanOutMetrics(readers), ...orderMetrics(readers)]),
  goals: READER_COUNTS.flatMap((readers) => [
    { metric: `rate${readers}`, comparedTo: 'nchan' as const, atLeast: 8 },
    { metric: `lost${readers}`, atMost: 0 },
    { metric: `violations${readers}`, atMost: 0 },
    { metric: `orders${readers}`, atMost: 1 },
  ]),
  measure: async (peer, effort) => {
    const figures: Record<string, number> = {};
    for (const readers of READER_COUNTS) {
      Object.assign(figures, await measureFanOut(peer, effort, { readers, publishers: PUBLISHERS, checkOrder: true }));
    }
    return { figures };
  },
};
