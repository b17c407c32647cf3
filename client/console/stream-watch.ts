import { signal } from '@preact/signals';

/** What the hub says of itself where a stream begins. */
export interface StreamHead {
  /** The process that answers, if it says so. */
  readonly process: string | undefined;
  /** Milliseconds between two signs of life; 0 for none. */
  readonly heartbeat: number;
}

export interface StreamListener {
  /** A heartbeat has come. */
  beat(): void;
}

/** A heartbeat is an empty comment: a chunk that begins with a colon, and has three bytes at most. */
const COLON = 58;
const LONGEST_BEAT = 3;

/** Sees what the client library does not tell: who answers, when bytes came last, and how long the hub asks to wait. */
export class StreamWatch {
  readonly head = signal<StreamHead | undefined>(undefined);
  /** When bytes came last, heartbeats too. Milliseconds since the epoch; 0 before there were any. */
  lastByteAt = 0;
  /** Milliseconds that the last answer has asked to wait before the next request. */
  retryAfter = 0;
  /** Milliseconds that the last stream has asked to wait once it has ended. */
  private retry = 0;
  /** The controllers of the open streams: beside the live one there may be others that bring history. */
  private readonly open = new Set<TransformStreamDefaultController>();

  constructor(private readonly listener: StreamListener) {}

  /** The least that the hub has asked to wait before the next attempt, in milliseconds. */
  get leastWait(): number {
    return Math.max(this.retry, this.retryAfter);
  }

  /** Cuts all open streams, as a failing network would. */
  cut(): void {
    for (const stream of this.open) stream.error(new TypeError('cut'));
  }

  /** Replaces the platform's `fetch`. */
  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    this.retryAfter = 0;
    const response = await fetch(input, init);
    const { status, statusText, headers } = response;
    this.retryAfter = secondsOf(headers.get('retry-after')) * 1_000;
    if (!response.body || !headers.get('content-type')?.startsWith('text/event-stream')) return response;
    this.head.value = {
      process: headers.get('herald-process') ?? undefined,
      heartbeat: Number(headers.get('herald-heartbeat') ?? 0) * 1_000,
    };
    return new Response(this.watch(response.body), { status, statusText, headers });
  }

  private watch(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    let opened: TransformStreamDefaultController | undefined;
    let isFirst = true;
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        opened = controller;
        this.open.add(controller);
      },
      transform: (chunk, controller) => {
        this.lastByteAt = Date.now();
        if (isFirst) this.retry = retryOf(chunk);
        isFirst = false;
        if (chunk.length <= LONGEST_BEAT && chunk[0] === COLON) this.listener.beat();
        controller.enqueue(chunk);
      },
    });
    const forget = (): void => {
      if (opened) this.open.delete(opened);
    };
    body.pipeTo(writable).then(forget, forget);
    return readable;
  }
}

/** The seconds of a `Retry-After`, which has seconds or a date (RFC 9110, section 10.2.3). */
function secondsOf(value: string | null): number {
  return Math.max(0, Number(value ?? 0) || (Date.parse(value ?? '') - Date.now()) / 1_000 || 0);
}

/** The milliseconds of a `retry:`, which Herald's streams begin with. */
function retryOf(chunk: Uint8Array): number {
  const [, milliseconds = '0'] = /^retry: ?(\d{1,8})$/m.exec(new TextDecoder().decode(chunk.subarray(0, 32))) ?? [];
  return Number(milliseconds);
}
