import type { Durations } from '../../shared/measures/durations.js';
import { DURATION_BOUNDS } from '../../shared/measures/durations.js';
import type { Tally } from '../../shared/measures/tally.js';

/** One value of a metric. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Where it is not the metric's own, such as that of a histogram's bucket. */
  readonly metricName?: string;
}

/** A metric with all its values, as Prometheus knows them. */
export interface Family {
  readonly name: string;
  /** What it is, with its unit. */
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
}

/** How much there is now. Nothing where that is not known. */
export function gauge(name: string, help: string, value: number | boolean | undefined): Family {
  const values = value === undefined ? [] : [{ value: Number(value), labels: {} }];
  return { name, help, type: 'gauge', values };
}

/** How often something has happened since the process began. */
export function counter(name: string, help: string, value: number): Family {
  return { name, help, type: 'counter', values: [{ value, labels: {} }] };
}

/** The same for each value of a label, of which there are few. */
export function labelled(
  { name, help, type }: Pick<Family, 'name' | 'help'> & { readonly type: 'counter' | 'gauge' },
  label: string,
  values: Iterable<readonly [string, number]>,
): Family {
  return { name, help, type, values: [...values].map(([text, value]) => ({ value, labels: { [label]: text } })) };
}

/** How long things took, in seconds. */
export function histogram(name: string, help: string, durations: Durations): Family {
  const bounds = [...DURATION_BOUNDS.map(String), '+Inf'];
  const { cumulative, sum } = durations;
  const buckets = bounds.map((le, index) => ({
    metricName: `${name}_bucket`,
    labels: { le },
    value: cumulative[index] ?? 0,
  }));
  return {
    name,
    help,
    type: 'histogram',
    values: [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: cumulative.at(-1) ?? 0 },
    ],
  };
}

/** Each name with its count, also where that is 0: a rate can't be told of what appears later. */
export function allOf<Name extends string>(names: readonly Name[], tally: Pick<Tally<Name>, 'of'>): [Name, number][] {
  return names.map((name) => [name, tally.of(name)]);
}
