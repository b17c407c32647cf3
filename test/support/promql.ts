import type { Scrape } from './metrics.js';

/** Labels that Prometheus gives to what it scrapes, that histograms have, and that dashboards are asked for. */
const COMMON = ['job', 'instance', 'le'];

/** A series as an expression names it. */
interface Named {
  readonly metric: string;
  /** The values that the expression asks for, by label. */
  readonly labels: readonly (readonly [label: string, values: readonly string[]])[];
}

/** The series of Herald and of its process that an expression in PromQL names. */
function namedIn(expression: string): Named[] {
  return [...expression.matchAll(/\b((?:herald|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, metric = '', selector = '']) => ({
      metric,
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = '', values = '']) => [
        label,
        values.split('|'),
      ]),
    }),
  );
}

/** The labels that an expression groups or joins by. */
function groupedBy(expression: string): string[] {
  return [...expression.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g)].flatMap(
    ([, labels = '']) => labels.split(',').map((label) => label.trim()),
  );
}

/** What a scrape knows: which metrics there are, of what type, and with which labels. */
export class Vocabulary {
  private readonly types: ReadonlyMap<string, string>;
  private readonly series: readonly string[];

  constructor(scrape: Scrape) {
    const lines = [...scrape.text.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
    this.types = new Map(lines.map(([, name = '', type = '']) => [name, type]));
    this.series = scrape.series;
  }

  /** What an expression names and nobody exports; and that it names nothing, where that is so. */
  unknownIn(expression: string, more: readonly string[] = []): string[] {
    const named = namedIn(expression);
    const labels = new Set([...COMMON, ...named.flatMap(({ metric }) => this.labelsOf(metric))]);
    return [
      ...named.flatMap((one) => this.unknownOf(one)),
      ...[...groupedBy(expression), ...more].filter((label) => label !== '' && !labels.has(label)),
      ...(named.length === 0 && !/\bup\{/.test(expression) ? ['no metric at all'] : []),
    ];
  }

  private unknownOf({ metric, labels }: Named): string[] {
    if (!this.has(metric)) return [metric];
    return labels.flatMap(([label, values]) => {
      if (COMMON.includes(label)) return [];
      const known = this.valuesOf(metric, label);
      return values.filter((value) => !known.has(value)).map((value) => `${metric}{${label}="${value}"}`);
    });
  }

  private has(metric: string): boolean {
    // A histogram has no series of its own name.
    if (this.types.has(metric)) return this.types.get(metric) !== 'histogram';
    return this.types.get(metric.replace(/_(?:bucket|sum|count)$/, '')) === 'histogram';
  }

  private labelsOf(metric: string): string[] {
    return this.seriesOf(metric).flatMap((one) => [...one.matchAll(/(\w+)="/g)].map(([, label = '']) => label));
  }

  private valuesOf(metric: string, label: string): Set<string> {
    const pattern = new RegExp(`[{,]${label}="([^"]*)"`);
    return new Set(this.seriesOf(metric).flatMap((one) => pattern.exec(one)?.[1] ?? []));
  }

  private seriesOf(metric: string): string[] {
    return this.series.filter((one) => one === metric || one.startsWith(`${metric}{`));
  }
}
