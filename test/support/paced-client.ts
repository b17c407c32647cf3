import { Writable } from 'node:stream';

/** The far end of a response, for tests within a process: it takes what it is sent only while it reads. */
export class PacedClient extends Writable {
  text = '';
  private taken: (() => void) | undefined;

  constructor(public isReading = true) {
    super();
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += bytes.toString();
    if (this.isReading) done();
    else this.taken = done;
  }

  read(): void {
    this.isReading = true;
    const { taken } = this;
    this.taken = undefined;
    taken?.();
  }
}
