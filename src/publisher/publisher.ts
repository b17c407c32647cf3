import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import { Queue } from '../shared/queue.js';
import { type Answer, BatchRequest, type RequestEnd } from './batch-request.js';
import { messageOf } from '../shared/errors/message-of.js';
import { PublishError } from './publish-error.js';

/** Updates, and characters of them, that may wait for their answers; beyond them `publish` refuses. */
const WAITING = { updates: 10_000, characters: 16 * 1024 ** 2 };

/** Lines that are sent before the first of them is answered. */
const WINDOW = 1_000;

/** Characters of lines that are written at once. */
const WRITE = 64 * 1024;

/** What a finite batch has at most. */
const FINITE = { lines: 500, characters: 256 * 1024 };

/** Milliseconds without any answer after which something on the way is taken to hold the request back. */
const SILENCE = 5_000;

/** Milliseconds that a finite batch may take. */
const FINITE_TIMEOUT = 60_000;

/** Milliseconds before the first try again, and the most that it grows to. */
const BACKOFF = { first: 100, most: 10_000 };

/** Refusals of a line after which the same line may be taken later. */
const PASSING = new Set(['journal-unavailable', 'overloaded', 'rate-limited']);

/** Statuses of answers after which the same request may be taken later: its time was over, or there is too much to do. */
const PASSING_STATUSES = new Set([408, 425, 429]);

/** An update, as a line of a batch has it. */
export interface PublishedUpdate {
  readonly topic?: string;
  readonly topics?: readonly string[];
  /** A text, or anything that can be written as JSON. */
  readonly data?: unknown;
  readonly id?: string;
  readonly type?: string;
  /** Milliseconds. */
  readonly retry?: number;
  readonly private?: boolean;
  /** The idempotency key. Default: a random one, so that trying again after a break stores nothing twice. */
  readonly key?: string;
}

export interface PublisherOptions {
  /** The hub's URL, such as `https://hub.example/.well-known/mercure`. */
  readonly url: string | URL;
  /** The token, or what gives a fresh one whenever a connection is made. Default: none. */
  readonly token?: string | (() => string | Promise<string>);
  /** Milliseconds without any answer after which the updates that wait are given up. Default: a minute. */
  readonly patience?: number;
  /** Options of TLS, such as `ca`. */
  readonly tls?: AgentOptions;
  /** Milliseconds without any answer after which it goes on with finite batches. Default: 5 seconds. */
  readonly silence?: number;
}

interface Item {
  readonly line: string;
  readonly resolve: (id: string) => void;
  readonly reject: (error: PublishError) => void;
}

/**
 * Publishes updates over one connection, in order, many at a time. When the connection breaks, it is made again, and what
 * has not been answered is sent again under the same keys, so nothing is stored twice. Where a proxy on the way holds
 * requests back until they are whole, it goes on with finite batches.
 *
 *     resting ──an update──► asking ──head sent──► open ──all answered, and ended by the hub──► resting
 *                               ▲                   │
 *                               └── pausing ◄───────┴── broken, refused for now, or silent
 *
 *     any ──close──► closed
 */
export class Publisher {
  private readonly url: URL;
  private readonly agent: HttpAgent | HttpsAgent;
  private readonly patience: number;
  private readonly silence: number;
  private readonly items = new Queue<Item>();
  private characters = 0;
  private state: 'resting' | 'asking' | 'open' | 'pausing' | 'closed' = 'resting';
  /** How many of the first items are on their way. */
  private sent = 0;
  private request: BatchRequest | undefined;
  private hasRoom = true;
  private isFinite = false;
  private isScheduled = false;
  private isClosing = false;
  private failures = 0;
  private tokenRefusals = 0;
  /** When the last answer came, or the first of those that wait was given. */
  private heardAt = 0;
  private askedAt = 0;
  private pausing: NodeJS.Timeout | undefined;
  private watch: NodeJS.Timeout | undefined;
  private keys = 0;
  private readonly keyPrefix = randomUUID();
  private readonly whenRoom: (() => void)[] = [];
  private readonly whenEmpty: (() => void)[] = [];

  constructor(private readonly options: PublisherOptions) {
    this.url = new URL(options.url);
    this.url.pathname = `${this.url.pathname.replace(/\/$/, '')}/batch`;
    this.patience = options.patience ?? 60_000;
    this.silence = options.silence ?? SILENCE;
    const agent: AgentOptions = { ...options.tls, keepAlive: true, maxSockets: 1 };
    this.agent = this.url.protocol === 'https:' ? new HttpsAgent(agent) : new HttpAgent(agent);
  }

  /** How many updates wait for their answers. */
  get waiting(): number {
    return this.items.length;
  }

  /** Whether the hub is sent finite batches, because something on the way holds longer ones back. */
  get usesFiniteBatches(): boolean {
    return this.isFinite;
  }

  /**
   * Resolves with the update's id once the hub has stored it.
   * @throws {PublishError} when the hub refuses it, or when it could not be reached for so long that nobody knows.
   */
  publish(update: PublishedUpdate): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.isClosing) return reject(new PublishError('closed', 'The publisher was closed.'));
      if (this.isFull) {
        return reject(new PublishError('queue-full', 'Too many updates wait for their answers: await ready() first.'));
      }
      const line = `${JSON.stringify({ ...update, key: update.key ?? this.newKey() })}\n`;
      if (this.items.length === 0) this.heardAt = performance.now();
      this.items.push({ line, resolve, reject });
      this.characters += line.length;
      this.schedule();
    });
  }

  /** Resolves once another update may be given. */
  ready(): Promise<void> {
    if (!this.isFull) return Promise.resolve();
    return new Promise((resolve) => this.whenRoom.push(resolve));
  }

  /** Takes no more updates, resolves once all are answered, and closes the connection. */
  async close(): Promise<void> {
    this.isClosing = true;
    if (this.items.length > 0) await new Promise<void>((resolve) => this.whenEmpty.push(resolve));
    this.state = 'closed';
    clearInterval(this.watch);
    clearTimeout(this.pausing);
    const { request } = this;
    this.request = undefined;
    await request?.close();
    this.agent.destroy();
  }

  private get isFull(): boolean {
    return this.items.length >= WAITING.updates || this.characters >= WAITING.characters;
  }

  private newKey(): string {
    this.keys += 1;
    return `${this.keyPrefix}-${this.keys}`;
  }

  /** Sends at the end of this turn of the event loop, so that updates that are given together share a write. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.proceed();
    });
  }

  private proceed(): void {
    if (this.items.length === 0) return;
    this.watch ??= setInterval(() => this.look(), Math.min(1_000, this.silence / 2));
    if (this.state === 'resting') void this.ask();
    else if (this.state === 'open' && !this.isFinite) this.send();
  }

  /** resting → asking → open */
  private async ask(): Promise<void> {
    this.state = 'asking';
    try {
      const { token } = this.options;
      const bearer = typeof token === 'function' ? await token() : token;
      this.open(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` });
    } catch (cause) {
      this.pause(new PublishError('unreachable', 'There is no token at the moment.', { cause }));
    }
  }

  private open(headers: Readonly<Record<string, string>>): void {
    if (this.state !== 'asking') return;
    this.state = 'open';
    this.askedAt = performance.now();
    this.hasRoom = true;
    const request = new BatchRequest(
      this.url,
      headers,
      { agent: this.agent },
      {
        answered: (answer) => this.answered(answer),
        drained: () => {
          if (request !== this.request) return;
          this.hasRoom = true;
          this.proceed();
        },
        over: (end) => {
          if (request === this.request) this.over(end);
        },
      },
    );
    this.request = request;
    if (this.isFinite) this.sendFinite();
    else this.send();
  }

  private send(): void {
    while (this.hasRoom && this.sent < Math.min(this.items.length, WINDOW)) {
      this.hasRoom = this.request?.write(this.nextLines(WINDOW, WRITE)) ?? false;
    }
  }

  private sendFinite(): void {
    this.request?.end(this.nextLines(FINITE.lines, FINITE.characters));
  }

  /** The lines that come next, at least one. */
  private nextLines(most: number, characters: number): string {
    let text = '';
    for (let item = this.items.at(this.sent); item && this.sent < most; item = this.items.at(this.sent)) {
      if (text !== '' && text.length + item.line.length > characters) break;
      text += item.line;
      this.sent += 1;
    }
    return text;
  }

  private answered({ id, error }: Answer): void {
    const item = this.items.at(0);
    if (!item || this.sent === 0) return;
    if (error && PASSING.has(error.code)) return this.over({ kind: 'broken', error: new Error(error.detail) });
    this.heardAt = performance.now();
    this.failures = 0;
    this.tokenRefusals = 0;
    this.settle(({ resolve, reject }) => {
      if (id === undefined) reject(new PublishError(error?.code ?? 'refused', error?.detail ?? 'The hub gave no id.'));
      else resolve(id);
    });
    if (this.state === 'open' && !this.isFinite && this.sent < WINDOW / 2) this.schedule();
  }

  private settle(tell: (item: Item) => void): void {
    const item = this.items.shift();
    if (!item) return;
    this.sent = Math.max(0, this.sent - 1);
    this.characters -= item.line.length;
    tell(item);
    if (!this.isFull) for (const resolve of this.whenRoom.splice(0)) resolve();
    if (this.items.length > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
    for (const resolve of this.whenEmpty.splice(0)) resolve();
  }

  /** open → resting, or → pausing where trying again at once would not help. */
  private over(end: RequestEnd): void {
    const isIncomplete = this.sent > 0;
    this.letGo();
    if (this.state !== 'open') return;
    if (end.kind === 'broken') return this.pause(new PublishError('unreachable', messageOf(end.error)));
    if (end.kind === 'refused') return this.refused(end);
    if (end.reason === 'overloaded' || end.reason === 'drain') {
      return this.pause(new PublishError('unreachable', `The hub ends its answers with "${end.reason}".`));
    }
    if (end.reason === undefined && isIncomplete) {
      return this.pause(new PublishError('unreachable', 'The answer ended before all updates were answered.'));
    }
    this.state = 'resting';
    this.proceed();
  }

  private refused({ status, code, detail, retryAfter }: RequestEnd & { kind: 'refused' }): void {
    const error = new PublishError(code, detail);
    if (PASSING_STATUSES.has(status) || status >= 500) return this.pause(error, retryAfter);
    // A token that is given anew may be a better one.
    this.tokenRefusals += 1;
    const mayHaveAnother = typeof this.options.token === 'function' && this.tokenRefusals === 1;
    if ((status === 401 || status === 403) && mayHaveAnother) return this.pause(error);
    this.giveUp(error);
  }

  private giveUp(error: PublishError): void {
    this.letGo();
    this.state = 'resting';
    this.tokenRefusals = 0;
    for (let left = this.items.length; left > 0; left -= 1) this.settle(({ reject }) => reject(error));
  }

  private letGo(): void {
    const { request } = this;
    this.request = undefined;
    this.sent = 0;
    request?.destroy();
  }

  /** → pausing → resting, for at least so many milliseconds, or giving up where the patience is over. */
  private pause(error: PublishError, least = 0): void {
    const left = this.heardAt + this.patience - performance.now();
    if (left <= 0) return this.giveUp(error);
    this.state = 'pausing';
    const longest = Math.min(BACKOFF.most, BACKOFF.first * 2 ** this.failures);
    this.failures += 1;
    this.pausing = setTimeout(
      () => {
        if (this.state !== 'pausing') return;
        this.state = 'resting';
        this.proceed();
      },
      Math.min(left, Math.max(least, longest * (0.5 + Math.random() / 2))),
    );
  }

  /** Looks, now and then, whether answers come. */
  private look(): void {
    const silent = performance.now() - Math.max(this.heardAt, this.askedAt);
    if (this.state !== 'open' || this.sent === 0 || silent < (this.isFinite ? FINITE_TIMEOUT : this.silence)) return;
    this.isFinite = true;
    this.over({ kind: 'broken', error: new Error('The hub did not answer in time.') });
  }
}
