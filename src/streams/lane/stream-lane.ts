import { Queue } from '../../shared/queue.js';

/** Milliseconds of one turn of the event loop that beginning streams may take, as work in the background may. */
const SHARE = 1;

/** Streams that may be begun in one turn, however little each takes. */
const PER_TURN = 32;

/** Milliseconds for which those who wait let new connections go first, at most. */
const PATIENCE = 1_000;

/** A request for a stream that waits for its turn. */
interface Waiting {
  readonly serve: () => void;
  readonly isGone: () => boolean;
}

/**
 * Has streams begun in their order, for a share of each turn of the event loop. A crowd that comes at once is served a few
 * at a time, and what is live goes on in between; a request that comes alone is served at once.
 *
 * Node accepts one connection in a turn. So turns are kept short while connections come in each of them: a publisher or a
 * health check whose connection came behind a crowd's would wait for the whole crowd to be begun otherwise.
 *
 *     begins streams ── a connection has come ────────► gives way
 *     gives way ─────── a turn without a connection ──► begins streams
 *     gives way ─────── for a second ─────────────────► impatient (begins streams, whoever comes)
 *     impatient ─────── nobody waits any more ────────► begins streams
 */
export class StreamLane {
  private readonly queue = new Queue<Waiting>();
  /** When the first stream of this turn was begun; undefined before. */
  private turnBegan: number | undefined;
  private begun = 0;
  private isScheduled = false;
  /** Whether a connection has come since the last turn began. */
  private hasCompany = false;
  private givesWay = false;
  /** Since when it has begun nothing, because connections have come in each turn; undefined where that is not so. */
  private gaveWayAt: number | undefined;
  /** It has waited for long enough, and gives way to nobody until none of those who waited is left. */
  private isImpatient = false;

  private readonly onBegin = (): void => this.beginTurn();
  private readonly onStep = (): void => this.next();
  private readonly onEnd = (): void => this.endTurn();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** How many requests wait. */
  get length(): number {
    return this.queue.length;
  }

  /**
   * Serves a request, now or when its turn has come.
   * @param isGone whether its client has left: it is not served then.
   */
  enter(serve: () => void, isGone: () => boolean): void {
    if (this.queue.length === 0 && this.hasShare()) this.begin(serve);
    else this.queue.push({ serve, isGone });
    this.schedule();
  }

  /** To be told of each connection. */
  connectionCame(): void {
    this.hasCompany = true;
  }

  private hasShare(): boolean {
    return this.turnBegan === undefined || (this.begun < PER_TURN && this.now() - this.turnBegan < SHARE);
  }

  private begin(serve: () => void): void {
    this.turnBegan ??= this.now();
    this.begun += 1;
    serve();
  }

  /** Takes as many steps in the next turn as there may be streams, because promises are settled after each step only. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(this.onBegin);
    for (let step = Math.min(PER_TURN, this.queue.length); step > 0; step -= 1) setImmediate(this.onStep);
    setImmediate(this.onEnd);
  }

  private beginTurn(): void {
    this.turnBegan = undefined;
    this.begun = 0;
    this.givesWay = this.hasCompany && !this.isImpatient;
    this.hasCompany = false;
    if (!this.givesWay) {
      this.gaveWayAt = undefined;
      return;
    }
    this.gaveWayAt ??= this.now();
    if (this.now() - this.gaveWayAt < PATIENCE) return;
    this.isImpatient = true;
    this.givesWay = false;
  }

  private next(): void {
    if (this.givesWay || !this.hasShare()) return;
    for (let first = this.queue.shift(); first; first = this.queue.shift()) {
      if (!first.isGone()) return this.begin(first.serve);
    }
  }

  private endTurn(): void {
    this.isScheduled = false;
    if (this.queue.length > 0) return this.schedule();
    this.isImpatient = false;
    // What comes in the next turn has a share of its own.
    this.beginTurn();
  }
}
