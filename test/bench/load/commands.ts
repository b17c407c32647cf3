import type { StreamedUpdates } from './batch-stream.js';
import type { Target } from './target.js';
import type { LatencyFindings, OrderFindings, WatchOptions } from './tally.js';

/** Opens readers; reader `n` subscribes to topic `n % topics`. */
export interface OpenCommand {
  readonly readers: number;
  readonly topics: number;
  /** How many may be on their way at once. */
  readonly atOnce: number;
  readonly lastEventId?: string;
}

/** Publishers that each wait for their answer, until so many events or seconds are reached, whichever is first. */
export interface FloodCommand {
  readonly publishers: number;
  readonly topics: number;
  readonly bytes: number;
  readonly maxEvents: number;
  readonly maxSeconds: number;
}

/**
 * Publishes to topics in turns, in batches where the server has them, else one at a time. The events of each topic are
 * numbered on their own, so that its only reader can tell whether it got them all, in order.
 */
export interface FillCommand {
  readonly firstTopic: number;
  readonly topics: number;
  /** How many to each topic. */
  readonly rounds: number;
  /** The number of the first event of each topic. */
  readonly firstNumber: number;
  readonly bytes: number;
}

/** Publishes at a fixed rate, whether or not earlier events have been answered. */
export interface PaceCommand {
  readonly eventsPerSecond: number;
  readonly events: number;
  readonly bytes: number;
  /** Topics that get events in turns. Default: one. */
  readonly topics?: number;
  /** Events that one request publishes, where the server has batches. Default: one. */
  readonly together?: number;
}

export interface Published {
  /** Events that were answered with 2xx. */
  readonly events: number;
  readonly seconds: number;
}

/** Milliseconds from the connection or the request to the head of the answer, or all of it. */
export interface DurationFindings {
  readonly p50: number;
  readonly p99: number;
}

export interface Settled {
  readonly received: number;
  readonly notices: number;
  /** Readers whose connection has ended, whoever ended it. */
  readonly ended: number;
}

/** What the load generator's process can be told, and what it answers. */
export interface LoadCommands {
  readonly target: { readonly command: Target; readonly answer: null };
  readonly open: { readonly command: OpenCommand; readonly answer: null };
  readonly close: { readonly command: null; readonly answer: null };
  /** Every reader whose index is divisible by this stops reading. */
  readonly stall: { readonly command: { readonly every: number }; readonly answer: null };
  /** Counts anew from here; the events of each publisher are numbered from 0 again. */
  readonly watch: { readonly command: WatchOptions; readonly answer: null };
  readonly flood: { readonly command: FloodCommand; readonly answer: Published };
  readonly fill: { readonly command: FillCommand; readonly answer: Published };
  /** One batch without an end: see `streamUpdates`. */
  readonly stream: { readonly command: StreamedUpdates; readonly answer: null };
  readonly pace: { readonly command: PaceCommand; readonly answer: Published };
  /** Waits until that many events have been read since the last `watch`, or the time is over. */
  readonly settle: {
    readonly command: { readonly events: number; readonly maxSeconds: number };
    readonly answer: Settled;
  };
  /** Publishes one event, to topic 0 by default, and tells the id under which a reader got it. */
  readonly mark: { readonly command: { readonly bytes: number; readonly topic?: number }; readonly answer: string };
  readonly order: { readonly command: null; readonly answer: OrderFindings };
  readonly latency: { readonly command: null; readonly answer: LatencyFindings };
  /** Of the last `open` or `flood`. */
  readonly durations: { readonly command: null; readonly answer: DurationFindings };
}

export type LoadCommandName = keyof LoadCommands;

/** A command on its way to the load generator's process. */
export interface LoadRequest {
  readonly name: LoadCommandName;
  readonly command: unknown;
}

/** Its answer on the way back; commands are answered in order, one at a time. */
export type LoadReply = { readonly answer: unknown } | { readonly error: string };
