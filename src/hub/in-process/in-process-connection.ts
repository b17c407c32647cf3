import { Transform } from 'node:stream';
import { LineSplitter } from '../../shared/line-splitter.js';
import { ResponseConnection } from '../../streams/connections/response-connection.js';
import type { Notice } from '../../streams/frames/frame.js';
import { noticeRecord, readRecord } from '../delivery/log/record.js';

/** Whoever reads the stream is in the same process: records go through it, and come out as objects. */
export class InProcessConnection extends ResponseConnection {
  override notify(notice: Notice): boolean {
    return this.writeFrame(noticeRecord(notice, this.subscriber?.noticeId()));
  }
}

/**
 * Takes the bytes of records, and gives the records as objects. It takes no more bytes until those that came before have
 * been read, as a socket does.
 */
export function recordStream(): Transform {
  const lines = new LineSplitter(Infinity);
  return new Transform({
    readableObjectMode: true,
    readableHighWaterMark: 1,
    transform(chunk: Buffer, _encoding, done) {
      for (const line of lines.split(chunk)) this.push(readRecord(line.toString()));
      done();
    },
  });
}
