import { signal } from '@preact/signals';

/** What the hub says of itself where a stream begins. */
export interface StreamHead {
  /** The process that answers, if it says so. */
  readonly process: string | undefined;
  /** Milliseconds between two signs of life; 0 for none. */
  readonly heartbeat: number;
}

export interface StreamListener {
  /** The hub has answered a request for these matchers, `name=value` each. */
  answered(matchers: readonly string[], response: Response): void;
  /** A heartbeat has come. */
  beat(): void;
}

/** A heartbeat is an empty comment: a chunk that begins with a colon, and has three bytes at most. */
const COLON = 58;
const LONGEST_BEAT = 3;

/** Sees what the client library does not tell: who answers, when bytes came last, and why a request was refused. */
export class StreamWatch {
  readonly head = signal<StreamHead | undefined>(undefined);
  /** When bytes came last, heartbeats too. Milliseconds since the epoch; 0 before there were any. */
  lastByteAt = 0;
  /** The controllers of the open streams: beside the live one there may be others that bring history. */
  private readonly open = new Set<TransformStreamDefaultController>();

  constructor(private readonly listener: StreamListener) {}

  /** Cuts all open streams, as a failing network would. */
  cut(): void {
    for (const stream of this.open) stream.error(new TypeError('cut'));
  }

  /** Replaces the platform's `fetch`. */
  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const response = await fetch(input, init);
    this.listener.answered(matchersOf(input, init), response);
    if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
    const { status, statusText, headers } = response;
    this.head.value = {
      process: headers.get('herald-process') ?? undefined,
      heartbeat: Number(headers.get('herald-heartbeat') ?? 0) * 1_000,
    };
    return new Response(this.watch(response.body), { status, statusText, headers });
  }

  private watch(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    let opened: TransformStreamDefaultController | undefined;
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        opened = controller;
        this.open.add(controller);
      },
      transform: (chunk, controller) => {
        this.lastByteAt = Date.now();
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

/** The matchers that a request asks for, in its query or, where that is too long for a URL, in its body. */
function matchersOf(input: RequestInfo | URL, init?: RequestInit): string[] {
  const { body } = init ?? {};
  const url = new URL(input instanceof Request ? input.url : input);
  const query = body instanceof URLSearchParams ? body : url.searchParams;
  return [...query].flatMap(([name, value]) => (name.startsWith('match') ? [`${name}=${value}`] : []));
}
