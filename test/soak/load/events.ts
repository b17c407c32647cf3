import { BodyDecoder } from '../../bench/load/body-decoder.js';

/** What a stream says, besides comments. */
export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** Reads a stream of events out of an HTTP/1.1 answer. Only ASCII is expected, because nothing else is published. */
export class EventReader {
  private text = '';
  private looked = 0;
  /** Milliseconds that the hub asks for before somebody comes back. */
  retry = 0;
  private readonly decoder = new BodyDecoder({
    body: (bytes, start, end) => (this.text += bytes.toString('latin1', start, end)),
  });

  constructor(private readonly onEvent: (event: StreamEvent) => void) {}

  /** The answer's status, or 0 while its head is not complete. */
  get status(): number {
    return this.decoder.status;
  }

  get hasEnded(): boolean {
    return this.decoder.ended;
  }

  push(bytes: Buffer): void {
    this.decoder.push(bytes, bytes.length);
    let start = 0;
    for (;;) {
      const end = this.text.indexOf('\n\n', Math.max(start, this.looked));
      if (end === -1) break;
      this.dispatch(this.text.slice(start, end));
      start = end + 2;
    }
    if (start > 0) this.text = this.text.slice(start);
    this.looked = Math.max(0, this.text.length - 1);
  }

  private dispatch(block: string): void {
    const event = { id: '', type: 'message', data: '' };
    for (const line of block.split('\n')) {
      if (line.startsWith('id: ')) event.id = line.slice(4);
      else if (line.startsWith('event: ')) event.type = line.slice(7);
      else if (line.startsWith('data: ')) event.data = line.slice(6);
      else if (line.startsWith('retry: ')) this.retry = Number(line.slice(7));
    }
    if (event.data !== '') this.onEvent(event);
  }
}
