import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createParser } from 'eventsource-parser';
import { authorization, type OpenOptions, type Reader, type SseClient } from './client.js';
import { Inbox } from './support/inbox.js';

/** The program at `path`. It does not come back by itself: its user calls it again, with the last id in the header. */
export function curlAt(path: string): SseClient {
  return {
    name: 'curl',
    cursor: 'header',
    onRefusal: 'stops',
    onBadGateway: 'stops',
    bearer: true,
    open: (options) => new CurlReader(path, options),
  };
}

class CurlReader implements Reader {
  private readonly inbox = new Inbox();
  private process: ChildProcess;

  constructor(
    private readonly path: string,
    private readonly options: OpenOptions,
  ) {
    this.process = this.call();
  }

  until(data: string): ReturnType<Reader['until']> {
    return this.inbox.until(data);
  }

  failed(): Promise<unknown> {
    return this.inbox.failed();
  }

  async resume(): Promise<void> {
    await this.ended();
    this.process = this.call({ 'Last-Event-ID': this.inbox.lastId });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill();
    await this.ended();
  }

  private call(more: Readonly<Record<string, string>> = {}): ChildProcess {
    // Headers come through the standard input, since everybody on the machine can read arguments.
    const curl = spawn(this.path, ['--no-buffer', '--silent', '--fail', '--header', '@-', this.options.url]);
    const headers = Object.entries({ ...authorization(this.options.token), ...more });
    curl.stdin.end(headers.map(([name, value]) => `${name}: ${value}\n`).join(''));
    const parser = createParser({
      onEvent: ({ id, event, data }) =>
        this.inbox.receive({ id: id ?? this.inbox.lastId, type: event ?? 'message', data }),
    });
    curl.stdout.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
    curl.on('close', (status) => {
      if (status !== 0) this.inbox.fail();
    });
    return curl;
  }

  private async ended(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'close');
  }
}
