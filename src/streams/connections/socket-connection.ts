import type { Socket } from 'node:net';
import { Connection } from './connection.js';
import type { OutstandingBytes } from '../registry/outstanding-bytes.js';
import type { WireFormat } from '../frames/wire-bytes.js';

/**
 * Bytes that may wait before an encrypted socket counts as full: it takes each write a turn of the event loop later.
 */
const ENCRYPTED_ROOM = 16 * 1024;

/** A socket of HTTP/1.1 or 1.0 that has been taken over from the server (`takeOver`). */
export class SocketConnection extends Connection<Socket> {
  private readonly isEncrypted: boolean;

  constructor(socket: Socket, format: WireFormat, outstanding: OutstandingBytes) {
    const isEncrypted = 'encrypted' in socket;
    super(socket, format, isEncrypted ? ENCRYPTED_ROOM : 0, outstanding);
    this.isEncrypted = isEncrypted;
    (socket as StreamSocket)[CONNECTION] = this;
    socket.on('close', closeOfSocket).on('error', ignore).on('end', endOfSocket);
    // What the client still sends is read and dropped, because unread bytes would hide that the client has left.
    socket.resume();
  }

  protected transmit(piece: Buffer): void {
    if (this.isEncrypted) {
      this.target.write(piece, this.written);
      return;
    }
    // `_write` bypasses the bookkeeping of `Writable`, which takes 5 % of a delivery. The kernel mostly takes
    // everything at once, and then the callback is called before `_write` returns.
    // oxlint-disable-next-line no-underscore-dangle -- Node's name for it
    this.target._write(piece, NO_ENCODING, this.written);
  }

  /** Closes the whole socket, so that a client which never closes its half can't keep it open. */
  protected finish(): void {
    this.target.destroySoon();
  }

  /**
   * Lets `closeOfSocket` call the protected method. All sockets share that function, because ten thousand closures take
   * a megabyte.
   */
  static closed(connection: SocketConnection): void {
    connection.closed();
  }
}

/** The name that `Writable` itself gives to "no encoding, these are bytes". */
const NO_ENCODING = 'buffer' as BufferEncoding;

const CONNECTION = Symbol('connection');

/** The socket has its connection as a property, because collecting the garbage of a weak map takes longer with each stream. */
type StreamSocket = Socket & { [CONNECTION]?: SocketConnection };

function closeOfSocket(this: StreamSocket): void {
  const connection = this[CONNECTION];
  if (connection) SocketConnection.closed(connection);
}

/** The client has closed its half, which is how browsers leave. */
function endOfSocket(this: Socket): void {
  this.destroy();
}

function ignore(): void {
  // A reset is followed by `close`, which says all there is to say.
}
