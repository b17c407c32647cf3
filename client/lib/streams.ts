import { Connection, type ConnectionOptions } from './connection.js';
import { HeraldError } from './errors.js';
import { Limits, Load, streamsAllowed } from './limits.js';
import type { Matcher } from './matcher.js';
import {
  type Bundle,
  type ConnectionState,
  FIRST,
  gravestOf,
  type Room,
  type Source,
  type SourceListener,
  type Start,
} from './wire.js';

export interface StreamsOptions extends Omit<ConnectionOptions, 'start'> {
  /** Where its streams begin, by their names, if it takes over from another tab. */
  readonly starts?: ReadonlyMap<string, Start | undefined> | undefined;
}

/** One of the streams, and what it carries. */
interface Lane {
  readonly name: string;
  readonly connection: Connection;
  readonly bundles: Map<string, Bundle>;
  state: ConnectionState;
  /** Whether the hub has said that it takes no more than this. */
  isFull: boolean;
}

/**
 * As many streams as it takes to carry all matchers, where the hub does not take them all on one.
 * A bundle of matchers stays on its stream for as long as it is wanted.
 */
export class Streams implements Source {
  readonly #options: StreamsOptions;
  readonly #listener: SourceListener;
  readonly #limits: Limits;
  readonly #lanes: Lane[] = [];
  #state: ConnectionState = 'idle';
  #isClosed = false;

  constructor(options: StreamsOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#limits = new Limits(options.settings.ways);
    for (const [name, start] of options.starts ?? new Map([[FIRST, undefined]])) this.#open(name, start);
  }

  cursorOf(stream: string): string {
    return this.#lanes.find(({ name }) => name === stream)?.connection.cursor ?? '';
  }

  want(bundles: readonly Bundle[]): void {
    const wanted = new Map(bundles.map((bundle) => [bundle.join('&'), bundle]));
    for (const lane of this.#lanes) {
      for (const key of lane.bundles.keys()) {
        if (wanted.delete(key)) continue;
        lane.bundles.delete(key);
        lane.isFull = false;
      }
    }
    this.#place([...wanted.values()]);
    this.#tell();
  }

  hurry(evenIfFailed?: boolean): void {
    for (const { connection } of this.#lanes) connection.hurry(evenIfFailed);
  }

  offline(): void {
    for (const { connection } of this.#lanes) connection.offline();
  }

  suspend(): void {
    for (const { connection } of this.#lanes) connection.suspend();
  }

  resume(): void {
    for (const { connection } of this.#lanes) connection.resume();
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#lanes) connection.close();
  }

  #open(name: string, start?: Start): Lane {
    const connection = new Connection(
      { ...this.#options, start, fits: (matchers) => this.#limits.take(matchers) },
      {
        message: (message) => this.#listener.message(message, name),
        notice: (notice) => this.#listener.notice(notice, name),
        covers: (matchers) => this.#listener.covers(name, matchers),
        refused: (matcher, error) => this.#listener.refused(matcher, error),
        full: (matcher, error) => this.#makeRoom(lane, matcher, error),
        crowded: (asked, limit) => this.#spread(lane, asked, limit),
        state: (state) => this.#note(lane, state),
        error: (error) => this.#listener.error(error),
      },
    );
    const lane: Lane = { name, connection, bundles: new Map(), state: 'idle', isFull: false };
    this.#lanes.push(lane);
    return lane;
  }

  /** Finds a stream for each of these bundles. For what does not fit anywhere there is none. */
  #place(bundles: readonly Bundle[]): void {
    const loads = new Map(this.#lanes.map((lane) => [lane, new Load(carriedBy(lane))]));
    const isCovered = (bundle: Bundle): boolean =>
      this.#lanes.some(({ connection }) => bundle.every((one) => connection.covered.has(one)));
    // Those that a stream covers come first, so that they stay on it.
    const known = bundles.filter(isCovered);
    for (const bundle of new Set([...known, ...bundles])) {
      const lane = this.#laneFor(bundle, loads);
      if (lane) {
        lane.bundles.set(bundle.join('&'), bundle);
        loads.get(lane)?.add(bundle);
      } else this.#turnAway(bundle, loads);
    }
  }

  /** Others may have some of these: they keep them, and the rest is refused. */
  #turnAway(bundle: Bundle, loads: Map<Lane, Load>): void {
    const lost = bundle.filter((one) => ![...loads.values()].some(({ matchers }) => matchers.has(one)));
    for (const matcher of lost.length > 0 ? lost : bundle) this.#listener.refused(matcher, noRoom());
  }

  #laneFor(bundle: Bundle, loads: Map<Lane, Load>): Lane | undefined {
    const limits = this.#limits;
    const hasRoom = ([, load]: readonly [Lane, Load]): boolean => limits.hold(load, bundle);
    // Where it is carried already, or was until a moment ago, or by another tab, nothing is missed.
    const carrier = [...loads].find(([{ connection, isFull }, load]) =>
      bundle.every((one) => load.matchers.has(one) || (!isFull && connection.covered.has(one))),
    );
    if (carrier && hasRoom(carrier)) return carrier[0];
    const roomy = [...loads].find((entry) => !entry[0].isFull && hasRoom(entry));
    if (roomy) return roomy[0];
    if (!limits.take(bundle) || loads.size >= streamsAllowed(this.#options.settings.url)) return undefined;
    const lane = this.#open(this.#freeName());
    loads.set(lane, new Load([]));
    return lane;
  }

  #freeName(): string {
    const names = new Set(this.#lanes.map(({ name }) => name));
    let number = 1;
    while (names.has(String(number))) number += 1;
    return String(number);
  }

  /** Moves what one stream can't carry, as far as is known by now. Returns whether that has helped. */
  #spread(lane: Lane, asked: readonly Matcher[], limit: Room | undefined): boolean {
    if (limit) this.#limits.learn(asked, limit);
    // What did not fit is not known, so that it has to be found by asking.
    if (this.#limits.take(asked)) return false;
    this.#relocate();
    return this.#limits.take(carriedBy(lane));
  }

  #relocate(): void {
    const homeless: Bundle[] = [];
    for (const lane of this.#lanes) {
      const load = new Load([]);
      for (const [key, bundle] of lane.bundles) {
        if (this.#limits.hold(load, bundle)) {
          load.add(bundle);
          continue;
        }
        lane.bundles.delete(key);
        homeless.push(bundle);
      }
    }
    this.#place(homeless);
    this.#tell();
  }

  #makeRoom(lane: Lane, matcher: Matcher, error: HeraldError): void {
    const moved = [...lane.bundles].filter(([, bundle]) => bundle.includes(matcher));
    if (moved.length === lane.bundles.size) {
      this.#listener.refused(matcher, error);
      return;
    }
    for (const [key] of moved) lane.bundles.delete(key);
    lane.isFull = true;
    this.#place(moved.map(([, bundle]) => bundle));
    this.#tell();
  }

  #tell(): void {
    for (const lane of this.#lanes) lane.connection.want([...carriedBy(lane)]);
  }

  #note(lane: Lane, state: ConnectionState): void {
    lane.state = state;
    const isLast = this.#lanes.length === 1;
    if (state === 'idle' && lane.bundles.size === 0 && !isLast && !this.#isClosed) {
      this.#lanes.splice(this.#lanes.indexOf(lane), 1);
      lane.connection.close();
      return;
    }
    const gravest = gravestOf(this.#lanes.filter((one) => one.bundles.size > 0 || isLast).map((one) => one.state));
    if (gravest === this.#state) return;
    this.#state = gravest;
    this.#listener.state(gravest);
  }
}

function carriedBy({ bundles }: Lane): ReadonlySet<Matcher> {
  return new Set([...bundles.values()].flat());
}

function noRoom(): HeraldError {
  return new HeraldError(
    'refused',
    'There is no room for this topic: the hub takes no more on the streams that a page may have. Use patterns, or HTTP/2.',
  );
}
