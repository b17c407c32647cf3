import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Family, Sample } from './family.js';

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
 * What every process has, by the names that dashboards for Node.js expect: processor time, memory, descriptors, and how
 * late the event loop is.
 */
@Injectable()
export class ProcessMetrics {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  async families(): Promise<Family[]> {
    const metrics = await this.registry.getMetricsAsJSON();
    return metrics.flatMap(({ name, help, type, values }): Family[] => {
      const known = String(type);
      // Three gauges are named as only counters may be. Their sums are in others.
      if (!isKnown(known) || (known === 'gauge' && name.endsWith('_total'))) return [];
      return [{ name, help, type: known, values: values.map(sampleOf) }];
    });
  }
}
