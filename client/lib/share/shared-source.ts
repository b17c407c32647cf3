import type { HeraldError } from '../errors.js';
import type { Matcher } from '../matcher.js';
import type { Bundle, ConnectionState, Notice, Source, SourceListener, Start, WireMessage } from '../wire.js';
import type { Connect } from './connect.js';
import type { Candidate, Election } from './election.js';
import { LeaderWatch } from './leader-watch.js';
import { Members } from './members.js';
import { Overlap } from './overlap.js';
import {
  type ChannelMessage,
  type Envelope,
  follows,
  type Place,
  positionsOf,
  type Relayed,
  toError,
  toRefusal,
  toRelayed,
} from './relay.js';

export interface SharedOptions {
  /** Tabs with the same name share. */
  readonly name: string;
  readonly election: Election;
  readonly connect: Connect;
  /** Milliseconds of a leader's silence after which it is asked for a sign of life, and then given as long again. */
  readonly patience: number;
}

/** The most messages of one broadcast. */
const LARGEST_BATCH = 100;

/** The place before the first broadcast of any leader. */
const NOWHERE: Place = { leader: '', number: 0 };

/** Milliseconds between two roll calls. */
const ROLL_CALL = 30_000;

/**
 * One connection for all tabs: the leader has it and relays, the others follow. Every tab knows the others' matchers
 * and how far the leader's streams have got, so that any of them can take over. A tab that notices that it has missed a
 * broadcast reports so (`missed`), and fetches the messages by itself.
 */
export class SharedSource implements Source, Candidate, SourceListener {
  readonly #options: SharedOptions;
  readonly #listener: SourceListener;
  readonly #tab = crypto.getRandomValues(new Uint32Array(2)).join('-');
  readonly #members = new Members();
  #channel: BroadcastChannel | undefined;
  /** Set while this tab leads. */
  #connection: Source | undefined;
  /** Where the leader's streams are by its last broadcast, or this tab's own when it led last, and what they cover. */
  readonly #streams = new Map<string, Start>();
  /** What the hub has refused of what is wanted. */
  readonly #refused = new Map<Matcher, HeraldError>();
  readonly #overlap = new Overlap();
  /** A leader that was deposed, and may still send broadcasts before it knows. */
  #formerLeader: string | undefined;
  #wanted: readonly Bundle[] = [];
  #current: ConnectionState = 'idle';
  /** The last broadcast that was received; while this tab leads, the last one that it has sent. */
  #place: Place = NOWHERE;
  #predecessor: Place = NOWHERE;
  #batch: WireMessage[] = [];
  #batchOf = '';
  readonly #watch: LeaderWatch;
  #hasFailed = false;
  #timers: ReturnType<typeof setInterval>[] = [];

  constructor(options: SharedOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#watch = new LeaderWatch(options.patience);
    this.#join();
  }

  cursorOf(stream: string): string {
    return this.#connection?.cursorOf(stream) || (this.#streams.get(stream)?.cursor ?? '');
  }

  want(bundles: readonly Bundle[]): void {
    this.#wanted = bundles;
    this.#announce();
    this.#wantEverything();
  }

  hurry(evenIfFailed = false): void {
    if (evenIfFailed && this.#hasFailed) this.#stand();
    if (this.#connection) this.#connection.hurry(evenIfFailed);
    else this.#post({ kind: 'hurry', evenIfFailed });
  }

  offline(): void {
    this.#connection?.offline();
  }

  suspend(): void {
    if (!this.#channel) return;
    this.#stepDown();
    this.#options.election.leave();
    this.#post({ kind: 'bye', tab: this.#tab });
    for (const timer of this.#timers) clearInterval(timer);
    // An open channel would keep the page out of the back/forward cache.
    this.#channel.close();
    this.#channel = undefined;
  }

  resume(): void {
    if (!this.#channel) this.#join();
  }

  close(): void {
    this.suspend();
    this.#enter('closed');
  }

  elected(): void {
    if (this.#connection) return;
    this.#predecessor = this.#place;
    // Each term has a leader name of its own, because its numbers begin anew.
    this.#place = { leader: `${this.#tab} ${performance.now()}`, number: 0 };
    this.#overlap.begin(Infinity);
    // What it knows from another term is nothing to tell the others.
    this.#refused.clear();
    if (this.#current === 'failed') this.#enter('idle');
    this.#connection = this.#options.connect(this, new Map(this.#streams));
    this.#connection.want(this.#everything());
    this.#sayStatus();
    this.#post({ kind: 'roll-call' });
  }

  deposed(): void {
    this.#stepDown();
    this.#stand();
  }

  // These are called by the connection, while this tab leads.

  message(message: WireMessage, stream: string): void {
    if (stream !== this.#batchOf) this.#flush();
    this.#batchOf = stream;
    if (this.#batch.push(message) === 1) queueMicrotask(() => this.#flush());
    if (this.#batch.length >= LARGEST_BATCH) this.#flush();
    this.#listener.message(message, stream);
  }

  notice(notice: Notice, stream: string): void {
    this.#relay({ kind: 'notice', stream, notice, cursor: this.cursorOf(stream) });
    this.#listener.notice(notice, stream);
  }

  covers(stream: string, matchers: ReadonlySet<Matcher>): void {
    this.#cover(stream, matchers);
    this.#sayStatus();
  }

  missed(stream: string, lastEventId: string): void {
    this.#listener.missed(stream, lastEventId);
  }

  refused(matcher: Matcher, error: HeraldError): void {
    this.#refused.set(matcher, error);
    this.#sayStatus();
    this.#listener.refused(matcher, error);
  }

  state(state: ConnectionState): void {
    // This is the last state of a connection that this tab has given up.
    if (!this.#connection) return;
    this.#enter(state);
    if (state === 'failed') this.#giveUp();
    else this.#sayStatus();
  }

  error(error: Parameters<SourceListener['error']>[0]): void {
    this.#listener.error(error);
  }

  #join(): void {
    const { name } = this.#options;
    const channel = new BroadcastChannel(name);
    channel.addEventListener('message', ({ data: { group, message } }: MessageEvent<Envelope>) => {
      if (group === name) this.#heed(message);
    });
    this.#channel = channel;
    this.#watch.heard();
    this.#timers = [
      setInterval(() => this.#watchLeader(), this.#options.patience / 2),
      setInterval(() => this.#callRoll(), ROLL_CALL),
    ];
    this.#announce(true);
    this.#stand();
  }

  #stand(): void {
    this.#hasFailed = false;
    this.#options.election.stand(this);
  }

  /** Gives up the lead, as another tab may have a better token. This tab only follows until one has. */
  #giveUp(): void {
    this.#stepDown();
    this.#options.election.leave();
    this.#hasFailed = true;
  }

  #stepDown(): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#flush();
    for (const [name, { covered }] of this.#streams) {
      this.#streams.set(name, { cursor: this.cursorOf(name), covered });
    }
    this.#connection = undefined;
    connection.close();
  }

  #heed(message: ChannelMessage): void {
    const connection = this.#connection;
    switch (message.kind) {
      case 'relay':
        this.#follow(message.place, message.relayed);
        break;
      case 'want':
        this.#members.want(message.tab, message.bundles);
        this.#wantEverything();
        if (message.isNew || message.bundles.flat().some((one) => this.#refused.has(one))) this.#sayStatus();
        break;
      case 'bye':
        this.#members.remove(message.tab);
        this.#wantEverything();
        break;
      case 'roll-call':
        this.#announce();
        break;
      case 'ping':
        if (connection) this.#sayStatus();
        else this.#watch.awaitAnswer();
        break;
      case 'hurry':
        connection?.hurry(message.evenIfFailed);
        break;
    }
  }

  #follow(place: Place, relayed: Relayed): void {
    // While this tab leads, others are ignored, and so is a deposed leader that does not know it yet.
    if (this.#connection || place.leader === this.#formerLeader) return;
    this.#watch.heard();
    const isGap = this.#streams.size > 0 && !follows(this.#place, place, relayed);
    const reached = isGap ? [...this.#streams] : [];
    if (place.leader !== this.#place.leader) this.#changeLeader(isGap, relayed);
    this.#place = place;
    for (const { name, cursor } of positionsOf(relayed)) this.#moveCursor(name, cursor);
    for (const [stream, { cursor }] of reached) if (cursor !== '') this.#listener.missed(stream, cursor);
    this.#pass(relayed);
  }

  #changeLeader(isGap: boolean, relayed: Relayed): void {
    this.#formerLeader = this.#place.leader;
    if (relayed.kind === 'status') this.#overlap.begin(isGap ? Infinity : (relayed.after?.number ?? 0));
  }

  #moveCursor(stream: string, cursor: string): void {
    // What comes again was already passed.
    if (this.#overlap.isOpen(stream)) return;
    this.#streams.set(stream, { cursor, covered: this.#streams.get(stream)?.covered ?? new Set() });
  }

  #pass(relayed: Relayed): void {
    if (relayed.kind === 'status') this.#passStatus(relayed);
    else if (relayed.kind === 'messages') {
      for (const message of relayed.messages) this.#passMessage(message, relayed.stream);
    } else {
      if (relayed.notice.type === 'caught-up') this.#overlap.end(relayed.stream);
      this.#listener.notice(relayed.notice, relayed.stream);
    }
  }

  #passMessage(message: WireMessage, stream: string): void {
    if (this.#overlap.has(stream, message.id)) return;
    this.#overlap.remember([message], stream, this.#place.number);
    this.#listener.message(message, stream);
  }

  /** Whoever has failed stays so until another tab's stream is open; then this tab may have its turn again one day. */
  #followState(state: ConnectionState): void {
    if (this.#hasFailed && state !== 'open') return;
    if (this.#hasFailed) this.#stand();
    this.#enter(state);
  }

  #passStatus({ streams, refused, state }: Relayed & { readonly kind: 'status' }): void {
    const names = new Set(streams.map(({ name }) => name));
    for (const name of this.#streams.keys()) if (!names.has(name)) this.#cover(name, new Set());
    for (const { name, covered } of streams) this.#cover(name, new Set(covered));
    for (const refusal of refused) this.#listener.refused(refusal.matcher, toError(refusal));
    this.#followState(state);
  }

  #watchLeader(): void {
    if (this.#connection || this.#hasFailed) return;
    const act = this.#watch.look();
    if (act === 'ask') this.#post({ kind: 'ping' });
    else if (act === 'seize') this.#options.election.seize();
  }

  #callRoll(): void {
    if (!this.#connection) return;
    this.#members.dropSilent();
    this.#wantEverything();
    this.#post({ kind: 'roll-call' });
  }

  #everything(): Bundle[] {
    return [...this.#wanted, ...this.#members.bundles()];
  }

  #wantEverything(): void {
    const everything = this.#everything();
    const matchers = new Set(everything.flat());
    for (const matcher of this.#refused.keys()) if (!matchers.has(matcher)) this.#refused.delete(matcher);
    this.#connection?.want(everything);
  }

  #announce(isNew = false): void {
    this.#post({ kind: 'want', tab: this.#tab, bundles: this.#wanted, isNew });
  }

  #sayStatus(): void {
    if (!this.#connection) return;
    const streams = [...this.#streams].map(([name, { covered }]) => toRelayed(name, covered, this.cursorOf(name)));
    const refused = [...this.#refused].map(([matcher, error]) => toRefusal(matcher, error));
    const after = this.#place.number === 0 ? this.#predecessor : undefined;
    this.#relay({ kind: 'status', state: this.#current, streams, refused, after });
  }

  /** Relays in one piece what came in one piece. No timer calls it: those of hidden tabs fire only once a minute. */
  #flush(): void {
    const messages = this.#batch;
    if (messages.length === 0) return;
    this.#batch = [];
    const stream = this.#batchOf;
    this.#relay({ kind: 'messages', stream, messages, cursor: this.cursorOf(stream) });
    this.#overlap.remember(messages, stream, this.#place.number);
  }

  #relay(relayed: Relayed): void {
    this.#flush();
    const place = { leader: this.#place.leader, number: this.#place.number + 1 };
    this.#place = place;
    this.#post({ kind: 'relay', place, relayed });
  }

  #post(message: ChannelMessage): void {
    const envelope: Envelope = { group: this.#options.name, message };
    this.#channel?.postMessage(envelope);
  }

  #cover(stream: string, covered: ReadonlySet<Matcher>): void {
    this.#streams.set(stream, { cursor: this.cursorOf(stream), covered });
    this.#listener.covers(stream, covered);
    // Only now, as whoever was live on it goes on from its cursor.
    if (covered.size === 0) this.#streams.delete(stream);
  }

  #enter(state: ConnectionState): void {
    if (state === this.#current) return;
    this.#current = state;
    this.#listener.state(state);
  }
}
