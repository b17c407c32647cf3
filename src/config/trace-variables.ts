import { z } from 'zod';
import { type Environment, type ReadFile, readVariable } from './environment.js';
import { splitList } from './fields/fields.js';

/** Which traces are recorded that the hub begins, or is the first to decide on. */
export interface SamplerConfig {
  /** What is decided where nobody before has: all, none, or this share of all traces. */
  readonly ratio: number;
  /** Whether the decision of whoever comes before counts first. */
  readonly isParentBased: boolean;
}

/** Where spans go. `HERALD_TRACES` has switched them on, and OpenTelemetry's own variables say the rest. */
export interface TracesConfig {
  /** May hold a password. */
  readonly url: string;
  /** May hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly sampler: SamplerConfig;
}

/** What can't be what it says while spans are sent as JSON over HTTP. */
const OTHER_PROTOCOLS = /^grpc$/;

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;

const variables = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint().default('http://localhost:4318'),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint().optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol().optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: headers().default({}),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: headers().default({}),
  OTEL_SERVICE_NAME: z.string().default('herald'),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none'], 'must be otlp or none').default('otlp'),
  OTEL_TRACES_SAMPLER: z
    .templateLiteral(
      [z.enum(['', 'parentbased_']), z.enum(SAMPLERS)],
      `must be one of ${SAMPLERS.join(', ')}, or one of these after parentbased_`,
    )
    .default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1, such as 0.1')
    .transform(Number)
    .default(1),
  OTEL_SDK_DISABLED: z
    .string()
    .transform((text) => text.toLowerCase() === 'true')
    .default(false),
});

/**
 * Reads OpenTelemetry's variables, each from itself or from the file that `NAME_FILE` points to; undefined where they switch
 * traces off. What is wrong is added to `mistakes`.
 */
export function readTraces(env: Environment, readFile: ReadFile, mistakes: string[]): TracesConfig | undefined {
  const given: Record<string, string> = {};
  for (const name of Object.keys(variables.shape)) {
    try {
      const text = readVariable(name, env, readFile);
      if (text !== undefined) given[name] = text;
    } catch (error) {
      mistakes.push((error as Error).message);
    }
  }
  const { data: v, error } = variables.safeParse(given);
  for (const issue of error?.issues ?? []) mistakes.push(`${issue.path.join('.')} ${issue.message}`);
  if (!v || v.OTEL_SDK_DISABLED || v.OTEL_TRACES_EXPORTER === 'none') return undefined;
  return {
    url: v.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? `${v.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/$/, '')}/v1/traces`,
    headers: { ...v.OTEL_EXPORTER_OTLP_HEADERS, ...v.OTEL_EXPORTER_OTLP_TRACES_HEADERS },
    serviceName: v.OTEL_SERVICE_NAME,
    sampler: samplerOf(v.OTEL_TRACES_SAMPLER, v.OTEL_TRACES_SAMPLER_ARG),
  };
}

function samplerOf(name: string, share: number): SamplerConfig {
  const ratio = name.endsWith('always_on') ? 1 : name.endsWith('always_off') ? 0 : share;
  return { ratio, isParentBased: name.startsWith('parentbased_') };
}

function endpoint() {
  return z.string().refine((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    return url && /^https?:$/.test(url.protocol) && !url.hash;
  }, 'must be an http or https URL, such as http://localhost:4318');
}

function protocol() {
  return z
    .string()
    .refine((text) => !OTHER_PROTOCOLS.test(text), 'must not be grpc: spans are sent over HTTP, mostly to port 4318');
}

/** Headers as `name=value`, separated by commas, with values percent-encoded. */
function headers() {
  return z.string().transform((text, context): Record<string, string> => {
    const pairs = splitList(text).map((pair) => readHeader(pair));
    if (pairs.every((pair) => pair !== undefined)) return Object.fromEntries(pairs);
    context.addIssue('must be headers as name=value, separated by commas, with values percent-encoded');
    return z.NEVER;
  });
}

function readHeader(pair: string): [string, string] | undefined {
  const [, name, encoded = ''] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*(.*)$/.exec(pair) ?? [];
  const value = decode(encoded);
  return name !== undefined && value !== undefined && /^[\x20-\x7e]*$/.test(value) ? [name, value] : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
