import type { EventSourceMessage } from 'eventsource-parser';
import { constants } from 'node:http2';
import { askAdmin } from '../../support/admin.js';
import { HUB, subscriberToken } from '../../support/hub.js';
import { Http2Client } from '../../support/http2-client.js';
import type { StreamClient } from '../../support/stream-client.js';
import { checkHistory } from '../../faults/support/check.js';
import { History } from '../../faults/support/history.js';
import type { Beginning } from './command.js';
import type { Doors, Way } from './doors.js';
import type { ModelLog } from './model-log.js';

/** How many a reader begins with that asks for the newest. */
const NEWEST = 3;

/** Milliseconds: a token that ends in a moment ends within this. */
const MOMENT = 2_000;

/** What a reader asks for. */
export interface Interest {
  readonly query: string;
  readonly topics: readonly string[];
  /** Whether it gets the newest update of each topic only: any may be left out, as the last one is on all topics. */
  readonly isConflated?: boolean;
}

/** What is the same for all readers of a run. */
export interface Surroundings {
  readonly doors: Doors;
  readonly log: ModelLog;
  /** Whether connections end by themselves when they are old. */
  readonly hasMaxAge: boolean;
  /** Whether a process follows the log, and may not have all yet that was acknowledged. */
  readonly isFollowing: boolean;
}

export interface ConnectOptions {
  /** Chooses among the ways in. */
  readonly way: number;
  readonly begin: Beginning;
  readonly expires: boolean;
}

/** A connection, and what is known of its end. */
interface Open {
  readonly client: StreamClient;
  readonly way: Way;
  readonly tokenId: string;
  /** The notices other than those of gaps and resets. */
  readonly notices: string[];
  /** Whether there is a cause for its end: without one it must stay. */
  mayEnd: boolean;
  isStalled: boolean;
}

/** A reader as its application sees it: one sequence of updates and notices, over however many connections. */
export class ModelReader {
  /** What went wrong on the way. */
  readonly wrong: string[] = [];
  private readonly history = new History();
  private open: Open | undefined;
  /** The last update that it has got since it began anew. */
  private newest: string | undefined;
  /** The last id of the connections before this one, of an update or a notice: none after it has begun anew. */
  private lastId: string | undefined;
  private readonly clients: StreamClient[] = [];
  private connections = 0;

  constructor(
    private readonly name: string,
    private readonly interest: Interest,
    private readonly around: Surroundings,
  ) {}

  /** Connects, unless it is connected. */
  async connect({ way: number, begin: wanted, expires }: ConnectOptions): Promise<void> {
    if (this.isConnected()) return;
    const way = this.around.doors.way(number);
    const begin = wanted === 'resume' && this.cursor === undefined ? 'now' : wanted;
    this.lastId = this.cursor;
    this.connections += 1;
    const tokenId = `${this.name}-${this.connections}`;
    const expiry = expires && { expires: new Date(Date.now() + MOMENT) };
    const token = await subscriberToken({ subject: this.name, claims: { jti: tokenId }, ...expiry });
    const { query, headers } = this.ask(begin);
    const acknowledged = this.around.isFollowing ? 0 : this.around.log.length;
    const path = `${HUB}?${query}`;
    const client = await this.around.doors.enter(way, path, { authorization: `Bearer ${token}`, ...headers });
    this.clients.push(client);
    await client.until(({ hasBegun, ended, status }) => hasBegun || ended || status >= 400);
    // Its token may have ended before it got here.
    if (!client.hasBegun) return;
    if (begin !== 'resume') this.noteBeginning(begin, acknowledged);
    const mayEnd = expires || this.around.hasMaxAge;
    const open: Open = { client, way, tokenId, notices: [], mayEnd, isStalled: false };
    this.open = open;
    client.consume((event) => this.take(event, open));
  }

  stall(): void {
    if (!this.isConnected() || !this.open) return;
    // Who does not read for long is let go of.
    Object.assign(this.open, { isStalled: true, mayEnd: true });
    this.open.client.stall();
  }

  read(): void {
    if (!this.open) return;
    this.open.isStalled = false;
    this.open.client.read();
  }

  /** Leaves, whether it reads or not; what is still on its way is not seen any more. */
  leave(how: 'leave' | 'reset'): void {
    if (!this.isConnected() || !this.open) return;
    const { client } = this.open;
    client.consume(() => undefined);
    if (how === 'reset') client.reset();
    // Some clients of HTTP/2 cancel their streams, and others have no error to tell of.
    else if (client instanceof Http2Client && this.connections % 2 === 0) client.leave(constants.NGHTTP2_NO_ERROR);
    else client.leave();
    this.letGo();
  }

  /** Is ended by an administrator, and told so if it reads. */
  async dismiss(how: 'dismiss' | 'revoke'): Promise<void> {
    if (!this.isConnected() || !this.open) return;
    const { open } = this;
    // A socket that is full when its stream ends has no room for the notice.
    const isUpToDate = !open.isStalled && this.around.log.isIdle && this.isUpToDate();
    open.mayEnd = true;
    if (how === 'dismiss') await askAdmin(open.way.target, 'DELETE', `connections?subject=${this.name}`);
    else await askAdmin(open.way.target, 'POST', 'revocations', { body: { jti: open.tokenId } });
    if (open.isStalled) return;
    await open.client.until(({ ended }) => ended);
    const [notice] = open.notices.slice(-1);
    if (!isUpToDate || notice === (how === 'dismiss' ? 'dismissed' : 'revoked')) return;
    this.wrong.push(`${this.name} was ended without being told, after ${notice}, over ${open.way.name}`);
  }

  /** Its connection ends, as the process does. */
  loseConnection(): void {
    if (this.open) this.open.mayEnd = true;
  }

  /** Comes back if it has no connection, and reads on. */
  async readOn(): Promise<void> {
    // One that has got nothing yet would miss what is published from now on if it lost its connection once more.
    await this.connect({
      way: this.connections,
      begin: this.cursor === undefined ? 'earliest' : 'resume',
      expires: false,
    });
    this.read();
  }

  /** Reads on, and comes back as often as it must. Answers whether it has the last update within so many milliseconds. */
  async reachesLast(patience: number): Promise<boolean> {
    const deadline = performance.now() + patience;
    while (!this.isUpToDate()) {
      await this.readOn();
      const left = deadline - performance.now();
      if (left <= 0) return false;
      // It is looked at again whether it ended, or was too late.
      await this.open?.client.until(({ ended }) => ended || this.isUpToDate(), left).catch(() => undefined);
    }
    return true;
  }

  /** Where it stands, for whoever wonders why it goes no further. */
  describe(): string {
    const { name, cursor, open } = this;
    const { client, way, isStalled, notices } = open ?? {};
    return JSON.stringify({ name, cursor, way: way?.name, isStalled, notices, status: client?.status });
  }

  /** Everything that is wrong with what it saw. */
  check(): string[] {
    const { topics } = this.interest;
    const { log } = this.around;
    const lost = log.lossFor(topics);
    this.history.malformed.push(...this.clients.flatMap(({ malformed }) => malformed ?? []));
    return [...this.wrong, ...checkHistory(this.history, { log: log.idsOn(topics), ...(lost && { lost }) })];
  }

  /** Lets go of everything that it has ever opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client[Symbol.asyncDispose]()));
  }

  /** The id with which it comes back, as a reader by the HTML standard does. */
  private get cursor(): string | undefined {
    return this.open?.client.lastEventId || this.lastId;
  }

  private letGo(): void {
    this.lastId = this.cursor;
    this.open = undefined;
  }

  private isConnected(): boolean {
    const { open } = this;
    if (!open?.client.ended) return open !== undefined;
    this.letGo();
    const isTold = open.notices.includes('unavailable') || open.notices.includes('expired');
    if (!open.mayEnd && !isTold) this.wrong.push(`${this.name} was ended without a cause, over ${open.way.name}`);
    return false;
  }

  private isUpToDate(): boolean {
    const [last] = this.around.log.idsOn(this.interest.topics).slice(-1);
    return last === this.newest;
  }

  private ask(begin: Beginning): { query: string; headers: Record<string, string> } {
    const { query } = this.interest;
    if (begin === 'newest') return { query: `${query}&last=${NEWEST}`, headers: {} };
    const id = { resume: this.cursor, now: undefined, earliest: 'earliest', unknown: 'urn:unknown' }[begin];
    return { query, headers: id === undefined ? {} : { 'last-event-id': id } };
  }

  /** Where the next update may stand that this reader gets. */
  private noteBeginning(begin: Beginning, acknowledged: number): void {
    const { log } = this.around;
    const { topics } = this.interest;
    this.newest = undefined;
    this.lastId = undefined;
    const held = log.countOf(topics, log.mustHoldFrom());
    const [first, last] = [log.countOf(topics, acknowledged), log.atMostOn(topics)];
    if (begin === 'earliest' || begin === 'unknown') this.saw({ from: 0, to: held });
    else if (begin === 'newest') this.saw({ from: Math.max(0, first - NEWEST), to: Math.max(held, last - NEWEST) });
    else this.saw({ from: first, to: last });
  }

  private take({ event, id, data }: EventSourceMessage, open: Open): void {
    if (event !== 'herald') {
      this.newest = id ?? '';
      this.saw({ id: this.newest });
      return;
    }
    const { type, reason } = JSON.parse(data) as { type: string; reason?: string };
    if (type !== 'gap' && type !== 'reset') {
      open.notices.push(type);
      return;
    }
    this.saw({ notice: type, ...(reason && { reason }), ...(type === 'gap' && { to: this.afterGap() }) });
  }

  /** The last place where it may go on after a gap. One that was told before a loss, and read after it, may be anywhere. */
  private afterGap(): number {
    const { log } = this.around;
    const { topics } = this.interest;
    return log.hasLost ? log.atMostOn(topics) : log.countOf(topics, log.mustHoldFrom());
  }

  private saw(seen: Parameters<History['saw']>[1]): void {
    this.history.saw(this.name, seen);
    if (this.interest.isConflated) this.history.saw(this.name, { notice: 'superseded' });
  }
}
