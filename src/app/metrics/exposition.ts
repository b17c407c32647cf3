import { type Metric, Registry, type RegistryContentType } from 'prom-client';
import type { Family } from './family.js';

/** Which format a scraper asks for: OpenMetrics where it takes that, otherwise Prometheus's own text. */
export function formatFor(accept: string | undefined): RegistryContentType {
  const isOpen = /\bapplication\/openmetrics-text\b/.test(accept ?? '');
  return isOpen ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
}

/** Writes metrics for a scraper. */
export function expose(families: readonly Family[], format: RegistryContentType): Promise<string> {
  // One for each scrape: the library changes the names of counters for OpenMetrics, and keeps values that we have already.
  const registry = new Registry<RegistryContentType>();
  registry.setContentType(format);
  for (const family of families) registry.registerMetric(snapshotOf(family));
  return registry.metrics();
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
