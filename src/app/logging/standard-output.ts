import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

const STANDARD_OUTPUT = 1;

/** Milliseconds after which a pipe that was full is tried again. */
const PAUSE = 5;

/**
 * Standard output as a log has it: each line is out when `write` returns, so none is lost however the process ends. A reader
 * that is slow is waited for. Once the reader has left, nothing is written any more: pino's own destination tries again for
 * ever then, and keeps the process from ending.
 */
export class StandardOutput implements DestinationStream {
  private isGone = false;
  private readonly pause = new Int32Array(new SharedArrayBuffer(4));

  constructor(private readonly writeTo: typeof writeSync = writeSync) {}

  write(line: string): void {
    let rest = Buffer.from(line);
    while (!this.isGone && rest.length > 0) rest = rest.subarray(this.writeSome(rest));
  }

  /** How many bytes were written. */
  private writeSome(bytes: Buffer): number {
    try {
      return this.writeTo(STANDARD_OUTPUT, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') Atomics.wait(this.pause, 0, 0, PAUSE);
      else this.isGone = true;
      return 0;
    }
  }
}
