import { Writable } from 'node:stream';
import { journalCommand } from '../../src/cli/journal-command.js';

interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `herald journal …`. */
export async function run(...args: string[]): Promise<Result> {
  const [out, err] = [new Collector(), new Collector()];
  return { status: await journalCommand(args, out, err), out: out.text, err: err.text };
}

class Collector extends Writable {
  text = '';

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.text += text;
    done();
  }
}
