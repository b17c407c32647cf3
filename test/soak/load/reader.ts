import { connect, type Socket } from 'node:net';
import type { Random } from '../../faults/support/random.js';
import { makeToken, RESOURCE, type Token } from '../tokens.js';
import { EventReader, type StreamEvent } from './events.js';
import { Follower } from './follower.js';
import type { Ledger } from './ledger.js';
import { type Person, personAt } from './people.js';
import type { Tally } from './tally.js';

const PATH = new URL(RESOURCE).pathname;

/** Seconds that a token lives, and one that is to outlive the soak. */
const RESTLESS = [60, 240] as const;
const QUIET = 24 * 60 * 60;

/** Milliseconds after which somebody comes back whose token was revoked or has expired. */
const COME_BACK = [50, 1_000] as const;
/** Milliseconds that somebody is away who leaves: some for longer than the grace of presence. */
const AWAY = [200, 8_000] as const;
/** Milliseconds for which somebody stops reading; who gets large updates stops until the hub cuts the connection. */
const STALL = [3_000, 15_000] as const;
const LONG_STALL = [20_000, 40_000] as const;

/** Milliseconds after which somebody comes back at the earliest whom the hub had no room for, and up to twice as many. */
const LEAST_RETRY = 1_000;

/** Milliseconds after which somebody has something in mind again: at the latest, the token is over. */
const LONGEST_PLAN = 240_000;

/** Answers that are no fault of the hub's: it has no room at the moment, or was so late that the token is over. */
const BUSY = 503;
const UNAUTHORIZED = 401;

export interface World {
  readonly port: number;
  readonly readers: number;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** Whether tokens of readers are over soon. */
  readonly expires: boolean;
  /** Whether readers come and go by themselves. */
  isRestless: boolean;
}

type Plan = 'stay' | 'leave' | 'replace' | 'stall';

/** Somebody at a seat, over all their connections, and whoever sits there after them. */
export class Reader {
  person: Person;
  token: Token | undefined;
  tokenName = '';
  private generation = 0;
  private tokens = 0;
  private follower: Follower;
  private lastEventId = '';
  private socket: Socket | undefined;
  private events: EventReader | undefined;
  private isStalled = false;
  private timer: NodeJS.Timeout | undefined;
  /** The hub had no room. */
  private wasRefused = false;
  private hasClosed = false;

  constructor(
    readonly seat: number,
    private readonly world: World,
  ) {
    this.person = personAt(seat, 0, world.readers);
    this.follower = new Follower(world.ledger, this.person);
  }

  /** A stream is open, and was answered. */
  get isOpen(): boolean {
    return this.events?.status === 200 && !this.events.hasEnded;
  }

  /** What has not come yet; undefined for nothing. */
  lacks(): string | undefined {
    const lacking = this.isOpen ? this.follower.lacks() : 'is not connected';
    return lacking === undefined ? undefined : `${this.person.subject}: ${lacking}`;
  }

  open(): void {
    if (this.hasClosed) return;
    clearTimeout(this.timer);
    if (this.lastEventId === '') this.follower.ask();
    else this.world.tally.count('resumed');
    this.wasRefused = false;
    const socket = connect({ port: this.world.port, host: '127.0.0.1', noDelay: true });
    const events = new EventReader((event) => this.take(event));
    this.socket = socket;
    this.events = events;
    socket.on('data', (bytes) => this.read(socket, events, bytes));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.closed(socket));
    socket.write(this.request(), 'latin1');
  }

  /** Stops doing what it had in mind: it reads again, and stays. */
  calm(): void {
    const isAway = this.socket === undefined && !this.hasClosed;
    clearTimeout(this.timer);
    this.readOn();
    if (isAway) this.open();
  }

  /** Has something in mind again. */
  stir(): void {
    if (this.isOpen) this.plan();
  }

  /** Goes for good. */
  close(): void {
    this.hasClosed = true;
    clearTimeout(this.timer);
    this.socket?.resetAndDestroy();
  }

  private request(): string {
    const { person, world } = this;
    this.tokens += 1;
    this.tokenName = `${person.subject}-${this.tokens}`;
    const seconds = world.expires ? world.random.between(...RESTLESS) : QUIET;
    this.token = makeToken('subscribe', {
      topics: person.granted,
      subject: person.subject,
      name: this.tokenName,
      seconds,
    });
    const lines = [
      `GET ${PATH}?${person.query} HTTP/1.1`,
      'Host: hub.example',
      'Accept: text/event-stream',
      `Authorization: Bearer ${this.token.text}`,
      ...(this.lastEventId === '' ? [] : [`Last-Event-ID: ${this.lastEventId}`]),
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  private read(socket: Socket, events: EventReader, bytes: Buffer): void {
    const hadStatus = events.status !== 0;
    try {
      events.push(bytes);
    } catch (error) {
      this.world.tally.fault(`${this.person.subject}: ${String(error)}`);
      socket.destroy();
      return;
    }
    if (!hadStatus && events.status !== 0) this.answered(events.status);
    if (events.hasEnded) socket.destroy();
  }

  private answered(status: number): void {
    const { tally } = this.world;
    if (status !== 200) {
      tally.count(`refused with ${status}`);
      const isOver = status === UNAUTHORIZED && Date.now() / 1_000 >= (this.token?.expires ?? 0);
      if (status !== BUSY && !isOver) tally.fault(`${this.person.subject} was refused with ${status}`);
      this.wasRefused = true;
      return;
    }
    tally.count('opened');
    if (this.lastEventId === '') this.follower.begin();
    if (this.world.isRestless) this.plan();
  }

  private plan(): void {
    const { random } = this.world;
    const chance = random.next();
    const plan: Plan = chance < 0.35 ? 'leave' : chance < 0.5 ? 'replace' : chance < 0.65 ? 'stall' : 'stay';
    if (plan === 'stay' && !this.person.isHeavy) return;
    const until = random.between(1_000, LONGEST_PLAN);
    this.timer = setTimeout(() => this.act(this.person.isHeavy ? 'stall' : plan), until);
  }

  private act(plan: Plan): void {
    const { random, tally } = this.world;
    tally.count(plan);
    if (plan === 'leave') this.socket?.destroy();
    if (plan === 'replace') this.replace();
    if (plan !== 'stall') return;
    this.isStalled = true;
    this.socket?.pause();
    const [least, most] = this.person.isHeavy ? LONG_STALL : STALL;
    const pause = random.between(least, most);
    this.timer = setTimeout(() => this.readOn(), pause);
  }

  /** Somebody else takes the seat. */
  private replace(): void {
    const { ledger, readers } = this.world;
    for (const topic of this.person.topics) if (topic.startsWith('users/')) ledger.forget(topic);
    this.generation += 1;
    this.tokens = 0;
    this.person = personAt(this.seat, this.generation, readers);
    this.follower = new Follower(ledger, this.person);
    this.lastEventId = '';
    this.socket?.destroy();
  }

  private readOn(): void {
    if (!this.isStalled) return;
    this.isStalled = false;
    this.socket?.resume();
  }

  private closed(socket: Socket): void {
    if (socket !== this.socket) return;
    this.socket = undefined;
    this.isStalled = false;
    clearTimeout(this.timer);
    if (this.hasClosed) return;
    this.timer = setTimeout(() => this.open(), this.pauseAfter(this.events));
    this.events = undefined;
  }

  /** Milliseconds until somebody comes back whose connection is over. */
  private pauseAfter(events: EventReader | undefined): number {
    const { random, isRestless } = this.world;
    const retry = Math.max(LEAST_RETRY, events?.retry ?? 0);
    if (this.wasRefused || events?.status !== 200) return random.between(retry, 2 * retry);
    const [least, most] = !events.hasEnded && isRestless ? AWAY : COME_BACK;
    return random.between(least, most);
  }

  private take({ id, type, data }: StreamEvent): void {
    if (id !== '') this.lastEventId = id;
    if (type === 'herald') return this.hear(data);
    const { tally } = this.world;
    tally.count('delivered');
    const [topic = '', number = ''] = data.split(' ', 2);
    if (topic.startsWith('{')) return;
    const wrong = this.follower.take(topic, Number(number));
    if (wrong !== undefined) tally.fault(`${this.person.subject}: ${wrong}`);
  }

  private hear(notice: string): void {
    const { type, reason = '' } = JSON.parse(notice) as { readonly type: string; readonly reason?: string };
    if (type === 'cursor') return;
    this.world.tally.count(`told of ${[type, reason].join(' ').trim()}`);
    if (['gap', 'reset', 'truncated'].includes(type)) this.follower.loosen();
    if (type === 'overloaded' || type === 'unavailable') this.wasRefused = true;
    if (type === 'reset') this.world.tally.fault(`${this.person.subject} was told of a reset`);
  }
}
