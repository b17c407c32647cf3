import type { Matcher } from '../matcher.js';
import type { ConnectionState, Source, SourceListener, Start, WireMessage } from '../wire.js';
import type { Candidate, Election } from './election.js';
import { Members } from './members.js';
import type { ChannelMessage, Envelope, Place, Relayed } from './relay.js';

/** Makes a connection of this tab's own. */
export type Connect = (listener: SourceListener, start?: Start) => Source;

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
 * and the leader's cursor, so that any of them can take over. A tab that notices that it has missed a broadcast reports
 * so (`missed`), and fetches the messages by itself.
 */
export class SharedSource implements Source, Candidate, SourceListener {
  readonly #options: SharedOptions;
  readonly #listener: SourceListener;
  readonly #tab = crypto.getRandomValues(new Uint32Array(2)).join('-');
  readonly #members = new Members();
  #channel: BroadcastChannel | undefined;
  /** Set while this tab leads. */
  #connection: Source | undefined;
  /** The leader's cursor in its last broadcast, or this tab's own when it led last. */
  #reached = '';
  /** A leader that was deposed, and may still send broadcasts before it knows. */
  #formerLeader: string | undefined;
  #wanted: readonly Matcher[] = [];
  #covered: ReadonlySet<string> = new Set();
  #current: ConnectionState = 'idle';
  /** The last broadcast that was received; while this tab leads, the last one that it has sent. */
  #place: Place = NOWHERE;
  #predecessor: Place = NOWHERE;
  #batch: WireMessage[] = [];
  #lastHeard = performance.now();
  #hasAsked = false;
  #hasFailed = false;
  #timers: ReturnType<typeof setInterval>[] = [];

  constructor(options: SharedOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#join();
  }

  get cursor(): string {
    return this.#connection ? this.#connection.cursor : this.#reached;
  }

  want(matchers: readonly Matcher[]): void {
    this.#wanted = matchers;
    this.#announce();
    this.#connection?.want(this.#everything());
  }

  hurry(evenIfFailed = false): void {
    if (evenIfFailed && this.#hasFailed) this.#stand();
    if (this.#connection) this.#connection.hurry(evenIfFailed);
    else this.#post({ kind: 'hurry', evenIfFailed });
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
    const { cursor } = this;
    const covered = this.#covered;
    this.#predecessor = this.#place;
    // Each term has a leader name of its own, because its numbers begin anew.
    this.#place = { leader: `${this.#tab} ${performance.now()}`, number: 0 };
    this.#connection = this.#options.connect(this, { cursor, covered });
    this.#connection.want(this.#everything());
    this.#sayStatus();
    this.#post({ kind: 'roll-call' });
  }

  deposed(): void {
    this.#stepDown();
    this.#stand();
  }

  // These are called by the connection, while this tab leads.

  message(message: WireMessage): void {
    if (this.#batch.push(message) === 1) queueMicrotask(() => this.#flush());
    if (this.#batch.length >= LARGEST_BATCH) this.#flush();
    this.#listener.message(message);
  }

  notice(notice: { readonly type: string }): void {
    this.#relay({ kind: 'notice', notice, cursor: this.cursor });
    this.#listener.notice(notice);
  }

  covers(keys: ReadonlySet<string>): void {
    this.#cover(keys);
    this.#sayStatus();
  }

  missed(lastEventId: string): void {
    this.#listener.missed(lastEventId);
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
    this.#lastHeard = performance.now();
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
    this.#reached = connection.cursor;
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
        this.#members.want(message.tab, message.matchers);
        connection?.want(this.#everything());
        if (message.isNew) this.#sayStatus();
        break;
      case 'bye':
        this.#members.remove(message.tab);
        connection?.want(this.#everything());
        break;
      case 'roll-call':
        this.#announce();
        break;
      case 'ping':
        if (connection) this.#sayStatus();
        else this.#awaitAnswer();
        break;
      case 'hurry':
        connection?.hurry(message.evenIfFailed);
        break;
    }
  }

  #follow(place: Place, relayed: Relayed): void {
    // While this tab leads, others are ignored, and so is a deposed leader that does not know it yet.
    if (this.#connection || place.leader === this.#formerLeader) return;
    this.#lastHeard = performance.now();
    this.#hasAsked = false;
    const reached = this.#reached;
    const isGap = reached !== '' && !this.#continues(place, relayed);
    this.#moveTo(place);
    this.#reached = relayed.cursor;
    if (isGap) this.#listener.missed(reached);
    this.#pass(relayed);
  }

  #pass(relayed: Relayed): void {
    switch (relayed.kind) {
      case 'messages':
        for (const message of relayed.messages) this.#listener.message(message);
        break;
      case 'notice':
        this.#listener.notice(relayed.notice);
        break;
      case 'status':
        this.#cover(new Set(relayed.covered));
        this.#followState(relayed.state);
        break;
    }
  }

  /** Whoever has failed stays so until another tab's stream is open; then this tab may have its turn again one day. */
  #followState(state: ConnectionState): void {
    if (this.#hasFailed && state !== 'open') return;
    if (this.#hasFailed) this.#stand();
    this.#enter(state);
  }

  #moveTo(place: Place): void {
    if (this.#place.leader !== place.leader) this.#formerLeader = this.#place.leader;
    this.#place = place;
  }

  /** Whether this broadcast comes right after the last one that was received. */
  #continues({ leader, number }: Place, relayed: Relayed): boolean {
    const place = this.#place;
    if (leader === place.leader) return number === place.number + 1;
    if (number !== 1 || relayed.kind !== 'status') return false;
    const { after } = relayed;
    return after?.leader === place.leader && after.number <= place.number;
  }

  #watchLeader(): void {
    const silence = performance.now() - this.#lastHeard;
    if (this.#connection || this.#hasFailed || silence < this.#options.patience) return;
    if (!this.#hasAsked) {
      this.#post({ kind: 'ping' });
      this.#awaitAnswer();
      return;
    }
    this.#lastHeard = performance.now();
    this.#hasAsked = false;
    this.#options.election.seize();
  }

  /** Waits for the leader's answer to a ping of any tab. The random part keeps tabs from seizing the lead together. */
  #awaitAnswer(): void {
    this.#hasAsked = true;
    this.#lastHeard = performance.now() - this.#options.patience * Math.random() * 0.5;
  }

  #callRoll(): void {
    if (!this.#connection) return;
    this.#members.dropSilent();
    this.#connection.want(this.#everything());
    this.#post({ kind: 'roll-call' });
  }

  #everything(): Matcher[] {
    return [...new Set([...this.#wanted, ...this.#members.matchers()])];
  }

  #announce(isNew = false): void {
    this.#post({ kind: 'want', tab: this.#tab, matchers: this.#wanted, isNew });
  }

  #sayStatus(): void {
    if (!this.#connection) return;
    const covered = [...this.#covered];
    const after = this.#place.number === 0 ? this.#predecessor : undefined;
    this.#relay({ kind: 'status', state: this.#current, covered, cursor: this.cursor, after });
  }

  /** Relays in one piece what came in one piece. No timer calls it: those of hidden tabs fire only once a minute. */
  #flush(): void {
    const messages = this.#batch;
    if (messages.length === 0) return;
    this.#batch = [];
    this.#relay({ kind: 'messages', messages, cursor: this.cursor });
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

  #cover(keys: ReadonlySet<string>): void {
    this.#covered = keys;
    this.#listener.covers(keys);
  }

  #enter(state: ConnectionState): void {
    if (state === this.#current) return;
    this.#current = state;
    this.#listener.state(state);
  }
}
