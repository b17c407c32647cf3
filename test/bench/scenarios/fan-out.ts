import type { Peer } from '../peers/peer.js';
import { costOf } from '../measure.js';
import { type Effort, type Metric, othersMetric } from './scenario.js';
import { allSettled, openReaders, settled, startWatch, withSession } from './session.js';

/** Readers of one topic. */
export const READER_COUNTS = [1000, 5000] as const;
const PAYLOAD_BYTES = 100;

/** The metrics of a fan-out to so many readers. */
export function fanOutMetrics(readers: number): Metric[] {
  return [
    {
      key: `rate${readers}`,
      label: `deliveries per server CPU-second, ${readers} readers`,
      unit: 'per second',
      compared: true,
      better: 'greater',
    },
    {
      key: `publishes${readers}`,
      label: `publishes per second, ${readers} readers`,
      unit: 'per second',
      compared: false,
    },
    { key: `lost${readers}`, label: `events not delivered, ${readers} readers`, unit: 'count', compared: false },
    { key: `server${readers}`, label: `server core busy, ${readers} readers`, unit: 'percent', compared: false },
    { key: `load${readers}`, label: `load core busy, ${readers} readers`, unit: 'percent', compared: false },
    othersMetric(String(readers), `, ${readers} readers`),
  ];
}

/** The metrics of the once-and-in-order check. */
export function orderMetrics(readers: number): Metric[] {
  return [
    {
      key: `violations${readers}`,
      label: `events lost, doubled or out of order, ${readers} readers`,
      unit: 'count',
      compared: false,
    },
    { key: `orders${readers}`, label: `different orders seen, ${readers} readers`, unit: 'count', compared: false },
  ];
}

export interface FanOutOptions {
  readonly readers: number;
  readonly publishers: number;
  readonly checkOrder: boolean;
}

/**
 * Publishes to one topic at full speed and waits until every reader has everything, so that the CPU of the window belongs
 * to these deliveries and no others.
 */
export async function measureFanOut(
  peer: Peer,
  effort: Effort,
  options: FanOutOptions,
): Promise<Record<string, number>> {
  const { readers, publishers, checkOrder } = options;
  return withSession(peer, async ({ server, load }) => {
    const flood = { publishers, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: Number.MAX_SAFE_INTEGER };
    await openReaders(load, readers);
    await startWatch(load, 'count', { publishers });
    const warmUp = await load.tell('flood', { ...flood, maxSeconds: effort.warmupSeconds });
    await allSettled(load, warmUp.events * readers);

    await startWatch(load, checkOrder ? 'order' : 'count', { readers, publishers });
    const cost = await costOf(server.pids, load.pid, async () => {
      const published = await load.tell('flood', { ...flood, maxSeconds: effort.windowSeconds });
      return { published, received: await settled(load, published.events * readers) };
    });
    const { published, received } = cost.result;
    const order = await load.tell('order', null);
    return {
      [`rate${readers}`]: received / cost.serverCpuSeconds,
      [`publishes${readers}`]: published.events / cost.wallSeconds,
      [`lost${readers}`]: published.events * readers - received,
      [`server${readers}`]: (100 * cost.serverCpuSeconds) / cost.wallSeconds,
      [`load${readers}`]: (100 * cost.loadCpuSeconds) / cost.wallSeconds,
      [`others${readers}`]: cost.othersPercent,
      ...(checkOrder ? { [`violations${readers}`]: order.violations, [`orders${readers}`]: order.orders } : {}),
    };
  });
}
