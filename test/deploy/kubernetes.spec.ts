import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type IServiceMonitor,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type IDeployment, Deployment } from 'kubernetes-models/apps/v1/Deployment';
import {
  type IHorizontalPodAutoscaler,
  HorizontalPodAutoscaler,
} from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { type INetworkPolicy, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { type IPodDisruptionBudget, PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { type IService, Service } from 'kubernetes-models/v1/Service';
import { parse, parseAllDocuments } from 'yaml';
import { startHerald } from '../support/herald.js';
import { PUBLISHER_KEY } from '../support/hub.js';
import { internalUrlOf, INTERNAL, Scrape } from '../support/metrics.js';
import { describeWith, redisServer } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis.js';
import { longestEnd } from './grace.js';

const run = promisify(execFile);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'deploy/kubernetes');

/** Not objects of a cluster, but what other programs read. */
const NO_OBJECTS = new Set(['kustomization.yaml', 'prometheus-adapter.yaml']);

const FILES = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml') && !NO_OBJECTS.has(name));
const OBJECTS = (
  await Promise.all(FILES.map(async (name) => parseAllDocuments(await readFile(join(FOLDER, name), 'utf8'))))
)
  .flat()
  .map((document) => document.toJS() as { kind: string; metadata: { name: string } });

/** The classes that know the schemas, and where TypeScript finds their types. */
const CLASSES = { Deployment, HorizontalPodAutoscaler, NetworkPolicy, PodDisruptionBudget, Service, ServiceMonitor };
const MODULES: Readonly<Record<keyof typeof CLASSES, string>> = {
  Deployment: 'kubernetes-models/apps/v1',
  HorizontalPodAutoscaler: 'kubernetes-models/autoscaling/v2',
  NetworkPolicy: 'kubernetes-models/networking.k8s.io/v1',
  PodDisruptionBudget: 'kubernetes-models/policy/v1',
  Service: 'kubernetes-models/v1',
  ServiceMonitor: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};

/** A type whose fields are all there, as far as the tests ask for them: where one is missing, a test fails. */
type Whole<T> = { readonly [Key in keyof T]-?: Whole<NonNullable<T[Key]>> };

/** The object of a kind, and of a name where there are several. */
function object(kind: keyof typeof CLASSES, name = 'herald'): unknown {
  const found = OBJECTS.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

const deployment = object('Deployment') as Whole<IDeployment>;
const budget = object('PodDisruptionBudget') as Whole<IPodDisruptionBudget>;
const policy = object('NetworkPolicy') as Whole<INetworkPolicy>;
const scaler = object('HorizontalPodAutoscaler') as Whole<IHorizontalPodAutoscaler>;
const monitor = object('ServiceMonitor') as Whole<IServiceMonitor>;
const hub = object('Service') as Whole<IService>;
const internal = object('Service', 'herald-internal') as Whole<IService>;
const pod = deployment.spec.template;
const container = pod.spec.containers[0] as Whole<(typeof pod.spec.containers)[number]>;
const ENVIRONMENT = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
const PORTS = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
const PROBES = [container.startupProbe, container.livenessProbe, container.readinessProbe];

/** Mistakes that `tsc` finds in an object, by the types of its schema: fields that there are not as well. */
async function typeMistakes(objects: readonly { kind: string }[]): Promise<string> {
  const folder = await mkdtemp(join(ROOT, 'dist', 'kubernetes-'));
  try {
    const lines = objects.map((one, index) => {
      const module = `${MODULES[one.kind as keyof typeof CLASSES]}/${one.kind}`;
      return `export const o${index}: import('${module}').I${one.kind} = ${JSON.stringify(one)};`;
    });
    await writeFile(join(folder, 'objects.ts'), lines.join('\n'));
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--types',
      'node',
    ];
    const program = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [program, ...options, join(folder, 'objects.ts')]).catch(
      (error: unknown) => error as { stdout: string },
    );
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the objects of Kubernetes', () => {
  it.each(OBJECTS.map((one) => [one.kind, one.metadata.name, one] as const))(
    '%s %s fits its schema',
    (kind, _, one) => {
      const known = CLASSES[kind as keyof typeof CLASSES];
      expect(known).toBeDefined();
      new known(one as never).validate();
    },
  );

  it('have no field that there is not, and none of another type', async () => {
    expect(await typeMistakes(OBJECTS)).toBe('');
    const misspelt = { ...budget, spec: { ...budget.spec, maxUnavailabel: 1 } };
    expect(await typeMistakes([misspelt])).toContain('maxUnavailabel');
  });

  it('are all applied', async () => {
    const { resources, images } = parse(await readFile(join(FOLDER, 'kustomization.yaml'), 'utf8')) as {
      resources: string[];
      images: { name: string }[];
    };
    expect(resources.toSorted()).toEqual(FILES.toSorted());
    expect(images.map(({ name }) => name)).toEqual([container.image]);
  });

  it('mean the same pods', () => {
    const { labels } = pod.metadata;
    const chosen = [deployment.spec.selector.matchLabels, budget.spec.selector.matchLabels];
    const spread = pod.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels);
    const served = [hub.spec.selector, internal.spec.selector];
    for (const one of [...chosen, ...spread, ...served, policy.spec.podSelector.matchLabels])
      expect(one).toEqual(labels);
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata.name };
    expect(scaler.spec.scaleTargetRef).toEqual(target);
  });

  it('mean the same ports', () => {
    expect(PORTS.get('http')).toBe(Number(ENVIRONMENT['PORT'] ?? 8080));
    expect(`0.0.0.0:${PORTS.get('internal')}`).toBe(ENVIRONMENT['HERALD_INTERNAL_LISTEN']);
    for (const probe of PROBES) expect(probe.httpGet.port).toBe('internal');
    expect(hub.spec.ports.map(({ targetPort }) => targetPort)).toEqual(['http']);
    expect(internal.spec.ports.map(({ targetPort }) => targetPort)).toEqual(['internal']);
    expect(policy.spec.ingress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([['http'], ['internal']]);
  });

  it('have the operator of Prometheus find the job by the name that alerts ask for', () => {
    const { jobLabel, selector, endpoints } = monitor.spec;
    expect(internal.metadata.labels).toEqual(selector.matchLabels);
    expect(internal.metadata.labels[jobLabel]).toBe('herald');
    expect(endpoints.map(({ port }) => port)).toEqual(internal.spec.ports.map(({ name }) => name));
    expect(hub.metadata.labels).not.toEqual(selector.matchLabels);
  });

  it('shut the process in, and give it time to end', () => {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.spec).toMatchObject({
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(longestEnd(ENVIRONMENT));
  });

  it('have no secret in them, but the names of its files', () => {
    const [volume] = pod.spec.volumes;
    const [mount] = container.volumeMounts;
    expect(mount?.name).toBe(volume?.name);
    const files = volume?.secret.items.map(({ path }) => `${mount?.mountPath}/${path}`) ?? [];
    const named = Object.entries(ENVIRONMENT).flatMap(([name, value]) => (name.endsWith('_FILE') ? [value] : []));
    expect(files.toSorted()).toEqual(named.toSorted());
    expect(OBJECTS.map(({ kind }) => kind)).not.toContain('Secret');
  });
});

describeWith(redisServer, 'the environment of the Deployment', (server) => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'herald-kubernetes-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('starts a Herald that is ready, and has the metric by which pods are scaled', async () => {
    await using redis = await RedisServer.start(server);
    for (const key of ['publisher_key', 'subscriber_key', 'admin_key'])
      await writeFile(join(folder, key), PUBLISHER_KEY);
    await writeFile(join(folder, 'journal'), `${redis.url}\n`);
    const here = JSON.parse(JSON.stringify(ENVIRONMENT).replaceAll('/etc/herald', folder)) as Record<string, string>;
    const env = { NODE_ENV: 'production', HOST: '127.0.0.1', ...here, ...INTERNAL, PORT: String(await freePort()) };
    await using herald = await startHerald({ env });
    const url = await internalUrlOf(herald);
    for (const probe of PROBES) expect((await fetch(`${url}${probe.httpGet.path}`)).status).toBe(200);
    expect(herald.logs()).not.toMatch(/"level":(?:40|50|60)/);
    const [metric = ''] = scaler.spec.metrics.map(({ pods }) => pods.metric.name);
    expect((await Scrape.of(`${url}/metrics`)).value(metric)).toBe(0);
    const adapter = parse(await readFile(join(FOLDER, 'prometheus-adapter.yaml'), 'utf8')) as {
      rules: { custom: { seriesQuery: string }[] };
    };
    expect(adapter.rules.custom.map(({ seriesQuery }) => seriesQuery.split('{', 1)[0])).toEqual([metric]);
  });
});
