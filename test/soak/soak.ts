import { setTimeout as delay } from 'node:timers/promises';
import type { JournalName } from './journals.js';
import { Crowd } from './load/crowd.js';
import { type Sample, SoakHub } from './measure/soak-hub.js';
import { type Course, type Finding, judge, valueOf } from './measure/verdict.js';

/** Samples under load; a short run takes them more often, a long one does not disturb the hub as much. */
const SAMPLES = 120;
const LEAST_INTERVAL = 5_000;
const MOST_INTERVAL = 15_000;

/** Collections before each of them, and before the first and the last figures. */
const FEW = 2;
const MANY = 5;

/** Samples of which the first and the last figures are the leanest one, and milliseconds between them. */
const FIGURES = 3;
const BETWEEN_FIGURES = 1_000;

/** Milliseconds from when all is quiet to those: time for leases, tokens of the past and buffers to be over. */
const QUIET = 6_000;
const BRIEFLY_QUIET = 500;
const MINUTE = 60_000;

/** Sockets of a hub that are no reader's: the backend's, and those to Redis. */
const OTHER_SOCKETS = 24;

/** At most so many of those who resume may be told of a gap: it would not be known whether they lack anything else. */
const MOST_GAPS = 0.1;

/** So many readers have a stream on average, the others being away by their own will. */
const LEAST_PRESENT = 0.9;

export interface SoakOptions {
  readonly journal: JournalName;
  readonly minutes: number;
  readonly readers: number;
  readonly seed: number;
  /** Seconds. */
  readonly warmUp: number;
  readonly leaks: boolean;
  /** Caches are left empty, and nothing is waited for that is over some time later: only gross leaks can be told then. */
  readonly isBrief?: boolean;
  /** Where heap snapshots are written, as the beginning of a path; none are without it. */
  readonly snapshots?: string;
  /** Ends it early. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface Soaked {
  readonly loaded: Course;
  readonly idle: Course;
  readonly findings: readonly Finding[];
  /** What readers and publishers have been through. */
  readonly counts: Readonly<Record<string, number>>;
  /** What was wrong besides memory: updates that were lost or doubled, sockets that nobody has. */
  readonly faults: readonly string[];
  readonly faultCount: number;
  /** Parts of a core that the loaded hub, the idle one and this process took. */
  readonly cpu: { readonly loaded: number; readonly idle: number; readonly load: number };
}

/** A hub and everybody who uses it. */
class Stage implements AsyncDisposable {
  readonly samples: Sample[] = [];
  private begin = performance.now();

  constructor(
    readonly hub: SoakHub,
    readonly crowd: Crowd,
  ) {}

  /** Minutes count from now on. */
  restart(): void {
    this.begin = performance.now();
  }

  sample(collections = FEW): Promise<Sample> {
    return this.hub.sample((performance.now() - this.begin) / 60_000, this.crowd.open, collections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.crowd[Symbol.dispose]();
    await this.hub[Symbol.asyncDispose]();
  }
}

/**
 * Runs a hub under load beside an idle one: the same settings, the same number of readers and the same filled caches, but
 * nobody comes or goes, and nothing is published. So what the idle one's memory does is Node's and the measuring's own.
 */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { signal, say, warmUp } = options;
  await using loaded = await prepare(options, false);
  await using idle = await prepare(options, true);
  say(`warming up for ${warmUp} seconds`);
  loaded.crowd.begin();
  await delay(warmUp * 1_000, undefined, { signal });
  const [start, idleStart] = await Promise.all([figures(loaded, options), figures(idle, options)]);

  await snapshot(loaded, 'start', options);
  const load = await watch(loaded, idle, options);
  const [end, idleEnd] = await Promise.all([figures(loaded, options), figures(idle, options)]);
  await snapshot(loaded, 'end', options);
  checkGaps(loaded.crowd);
  checkPresent(loaded, options);

  const courses = {
    loaded: { start, end, samples: loaded.samples },
    idle: { start: idleStart, end: idleEnd, samples: idle.samples },
  };
  const { tally } = loaded.crowd;
  return {
    ...courses,
    findings: judge(courses.loaded, courses.idle),
    counts: tally.counts,
    faults: [...tally.faults, ...idle.crowd.tally.faults],
    faultCount: tally.faultCount + idle.crowd.tally.faultCount,
    cpu: { loaded: cpuOf(courses.loaded), idle: cpuOf(courses.idle), load },
  };
}

/** Lets readers come and go, takes samples meanwhile, and answers which part of a core this process took for it. */
async function watch(loaded: Stage, idle: Stage, { minutes, signal, say }: SoakOptions): Promise<number> {
  const processor = process.cpuUsage();
  const begin = performance.now();
  for (const stage of [loaded, idle]) stage.restart();
  loaded.crowd.begin();
  const interval = Math.min(MOST_INTERVAL, Math.max(LEAST_INTERVAL, (minutes * MINUTE) / SAMPLES));
  for (let turn = 1; turn * interval <= minutes * MINUTE; turn += 1) {
    await delay(Math.max(0, begin + turn * interval - performance.now()), undefined, { signal });
    loaded.samples.push(await loaded.sample());
    idle.samples.push(await idle.sample());
    if (turn % Math.ceil(MINUTE / interval) === 0) say(describe(loaded));
  }
  const { user, system } = process.cpuUsage(processor);
  return (user + system) / 1_000 / (performance.now() - begin);
}

async function prepare(
  { journal, readers, seed, leaks, isBrief, signal, say }: SoakOptions,
  isIdle: boolean,
): Promise<Stage> {
  const hub = await SoakHub.start({ journal, isIdle, leaks: leaks && !isIdle });
  const stage = new Stage(hub, new Crowd({ url: hub.url, readers, seed, isIdle }));
  try {
    await stage.crowd.come(signal);
    if (!isBrief) await stage.crowd.fillCaches(signal);
    say(`${isIdle ? 'the idle' : 'the loaded'} hub has ${stage.crowd.open} readers`);
    return stage;
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

/** The figures of a hub with everybody connected, and nothing under way. */
async function figures(stage: Stage, { isBrief, signal }: SoakOptions): Promise<Sample> {
  const { crowd, hub } = stage;
  await crowd.pause(signal);
  await delay(isBrief ? BRIEFLY_QUIET : QUIET, undefined, { signal });
  await crowd.untilGathered(signal);
  const sample = await leanest(stage, signal);
  await crowd.checkSubscriptions(signal);
  // Some readers may be coming back at the moment, on one connection after the other.
  const others = sample.sockets - sample.streams;
  if (others > OTHER_SOCKETS) crowd.tally.fault(`the hub at ${hub.url} has ${others} sockets that are no reader's`);
  return sample;
}

/**
 * The one of a few samples with the least memory: streams end and come back all the time, and what a sample has of the garbage
 * of these milliseconds can be more than may grow.
 */
async function leanest(stage: Stage, signal: AbortSignal): Promise<Sample> {
  const samples = [await stage.sample(MANY)];
  while (samples.length < FIGURES) {
    await delay(BETWEEN_FIGURES, undefined, { signal });
    samples.push(await stage.sample(MANY));
  }
  return samples.reduce((one, other) => (valueOf(other, 'heap') < valueOf(one, 'heap') ? other : one));
}

async function snapshot({ hub }: Stage, when: string, { snapshots }: SoakOptions): Promise<void> {
  if (snapshots !== undefined) await hub.snapshot(`${snapshots}-${when}.heapsnapshot`);
}

function checkGaps({ tally }: Crowd): void {
  const { resumed = 0, 'told of gap not-held': unknown = 0, 'told of gap trimmed': trimmed = 0 } = tally.counts;
  if (unknown + trimmed > MOST_GAPS * resumed) {
    tally.fault(
      `${unknown + trimmed} gaps were told to ${resumed} who resumed: too many to know whether more was lost`,
    );
  }
}

/** A hub that has to turn readers away all the time, because others take the machine, is not under the load that is asked for. */
function checkPresent({ samples, crowd }: Stage, { readers }: SoakOptions): void {
  const present = samples.reduce((sum, { streams }) => sum + streams, 0) / samples.length;
  if (present >= LEAST_PRESENT * readers) return;
  crowd.tally.fault(
    `only ${present.toFixed(0)} of ${readers} readers had a stream on average: the machine was too busy`,
  );
}

/** Parts of a core. */
function cpuOf({ samples }: Course): number {
  const [first, last] = [samples[0], samples.at(-1)];
  return first && last ? (last.cpu - first.cpu) / (60 * (last.minutes - first.minutes)) : Number.NaN;
}

function describe({ samples, crowd }: Stage): string {
  const sample = samples.at(-1);
  if (!sample) return '';
  const megabytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)} MB`;
  return [
    `${sample.minutes.toFixed(1)} min: ${megabytes(sample.heap + sample.external)} of heap`,
    `${megabytes(sample.resident)} resident`,
    `${sample.descriptors} descriptors`,
    `${sample.streams} streams`,
    `${crowd.tally.counts['delivered'] ?? 0} delivered`,
    `${crowd.tally.faultCount} faults`,
  ].join(', ');
}
