import type { Writable } from 'node:stream';
import { Connection } from './connection.js';
import type { OutstandingBytes } from '../registry/outstanding-bytes.js';

/** Bytes that may wait before a response counts as full: it takes each write one turn of the event loop later. */
const ROOM = 16 * 1024;

/** A response that is written to as a stream: HTTP/2, and HTTP/1 where the socket can't be taken over. */
export class ResponseConnection extends Connection {
  constructor(response: Writable, outstanding: OutstandingBytes) {
    super(response, 'plain', ROOM, outstanding);
    response.on('close', () => this.closed()).on('error', ignore);
  }

  protected transmit(piece: Buffer): void {
    this.target.write(piece, this.written);
  }

  protected finish(): void {
    this.target.end();
  }
}

function ignore(): void {
  // An error is followed by `close`, which says all there is to say.
}
