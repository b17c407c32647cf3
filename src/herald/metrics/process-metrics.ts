import { getHeapStatistics } from 'node:v8';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { HUB_ERRORS } from '../../access/hub.errors.js';
import { refusals } from '../../shared/measures/refusals.js';
import { allOf, type Family, gauge, labelled, type Sample } from './family.js';

/** The library's types name these by an enumeration that it does not have. */
const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram']);

function isKnown(type: string): type is Family['type'] {
  return TYPES.has(type);
}

function sampleOf(value: { value: number; labels: Readonly<Partial<Record<string, string | number>>> }): Sample {
  const labels = Object.entries(value.labels).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  );
  return { ...value, labels: Object.fromEntries(labels) };
}

/**
 * What belongs to the process, however many hubs it has: what all of them have refused, and, by the names that dashboards for
 * Node.js expect, processor time, memory, descriptors, and how late the event loop is.
 */
class ProcessMetrics {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  async families(): Promise<Family[]> {
    return [...ofHubs(), ...(await this.ofNode())];
  }

  private async ofNode(): Promise<Family[]> {
    const metrics = await this.registry.getMetricsAsJSON();
    return metrics.flatMap(({ name, help, type, values }): Family[] => {
      const known = String(type);
      // Three gauges are named as only counters may be. Their sums are in others.
      if (!isKnown(known) || (known === 'gauge' && name.endsWith('_total'))) return [];
      return [{ name, help, type: known, values: values.map(sampleOf) }];
    });
  }
}

let only: ProcessMetrics | undefined;

/**
 * Those of this process, counted from the first call on. There is one for all who want them, because what watches the event
 * loop and the garbage collector goes on for as long as the process does.
 */
export function processMetrics(): Pick<ProcessMetrics, 'families'> {
  only ??= new ProcessMetrics();
  return only;
}

function ofHubs(): Family[] {
  const refused = {
    name: 'herald_refusals_total',
    help: 'Requests that were refused, by code.',
    type: 'counter',
  } as const;
  return [
    labelled(refused, 'code', allOf(Object.keys(HUB_ERRORS), refusals)),
    gauge(
      'herald_heap_limit_bytes',
      'Bytes that the heap of Node.js may grow to, of which nodejs_heap_size_used_bytes are in use.',
      getHeapStatistics().heap_size_limit,
    ),
  ];
}
