import { describe, expect, it } from '@jest/globals';
import type { Environment } from './environment.js';
import { readTraces, type TracesConfig } from './trace-variables.js';

const FILES: Readonly<Record<string, string>> = { '/run/headers': 'authorization=Bearer%20from-a-file\n' };

function read(env: Environment): { traces: TracesConfig | undefined; mistakes: string[] } {
  const mistakes: string[] = [];
  const traces = readTraces(env, (path) => FILES[path] ?? '', mistakes);
  return { traces, mistakes };
}

describe("OpenTelemetry's variables", () => {
  it('have the defaults that the standard gives them', () => {
    expect(read({})).toEqual({
      traces: {
        url: 'http://localhost:4318/v1/traces',
        headers: {},
        serviceName: 'herald',
        sampler: { ratio: 1, isParentBased: true },
      },
      mistakes: [],
    });
  });

  it.each([
    ['http://c:4318', 'http://c:4318/v1/traces'],
    ['http://c/otlp/', 'http://c/otlp/v1/traces'],
  ])('add the path to %s', (endpoint, url) => {
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).traces?.url).toBe(url);
    expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint }).traces?.url).toBe(endpoint);
  });

  it('may be in files', () => {
    const { traces } = read({ OTEL_EXPORTER_OTLP_HEADERS_FILE: '/run/headers' });
    expect(traces?.headers).toEqual({ authorization: 'Bearer from-a-file' });
  });

  it.each([
    ['always_on', 1, false],
    ['parentbased_always_off', 0, true],
    ['traceidratio', 0.1, false],
  ])('know the sampler %s', (name, ratio, isParentBased) => {
    const { traces } = read({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: '0.1' });
    expect(traces?.sampler).toEqual({ ratio, isParentBased });
  });

  it.each([{ OTEL_SDK_DISABLED: 'TRUE' }, { OTEL_TRACES_EXPORTER: 'none' }])('switch traces off: %j', (env) => {
    expect(read(env)).toEqual({ traces: undefined, mistakes: [] });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:secret'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'ftp://secret'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zzsecret'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret%0d%0ab'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a secret=b'],
    ['OTEL_TRACES_EXPORTER', 'secret'],
    ['OTEL_TRACES_SAMPLER', 'secret'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.1'],
    ['OTEL_TRACES_SAMPLER_ARG', '-1'],
  ])('are refused with their name and without what they say: %s=%s', (name, value) => {
    const { traces, mistakes } = read({ [name]: value });
    expect([traces, mistakes.length]).toEqual([undefined, 1]);
    expect(mistakes[0]).toMatch(new RegExp(`^${name} must`));
    expect(mistakes[0]).not.toContain('secret');
  });
});
