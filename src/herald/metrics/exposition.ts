import { type Metric, Registry, type RegistryContentType } from 'prom-client';
import type { Family } from './family.js';
import { processMetrics } from './process-metrics.js';

export interface ExpositionOptions {
  /** Whether the metrics of the process are written after those of the hub. */
  readonly hasProcess: boolean;
}

/** Writes metrics for a scraper, in registries of its own. */
export class Exposition {
  private readonly process: ReturnType<typeof processMetrics> | undefined;

  constructor({ hasProcess }: ExpositionOptions) {
    this.process = hasProcess ? processMetrics() : undefined;
  }

  /** Which format a scraper asks for: OpenMetrics where it takes that, otherwise Prometheus's own text. */
  formatFor(accept: string | undefined): RegistryContentType {
    const isOpen = /\bapplication\/openmetrics-text\b/.test(accept ?? '');
    return isOpen ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  }

  async write(families: readonly Family[], format: RegistryContentType): Promise<string> {
    // One for each scrape: the library changes the names of counters for OpenMetrics, and keeps values that we have already.
    const registry = new Registry<RegistryContentType>();
    registry.setContentType(format);
    const all = [...families, ...((await this.process?.families()) ?? [])];
    for (const family of all) registry.registerMetric(snapshotOf(family));
    return registry.metrics();
  }
}

/** A metric as the library reads it. Its types know only its own classes, which count by themselves. */
function snapshotOf(family: Family): Metric {
  const snapshot = {
    ...family,
    aggregator: 'sum',
    get() {
      return Promise.resolve({ ...family, name: this.name });
    },
  };
  return snapshot as unknown as Metric;
}
