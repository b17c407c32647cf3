import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { plainText } from '../config/environment.js';
import { Publisher, PublishError } from '../publisher/index.js';
import { HUB_PATH } from '../shared/hub-path.js';
import { hubUrlOf, orUsage, type Surroundings, UsageError } from './command.js';

const USAGE = `Usage: herald publish --ndjson [--url URL] [--quiet] < updates.ndjson

Publishes each line of the input, a JSON object with topic (or topics), data, id, type, retry, private and key, and prints
the answer to each: its id, or why it was not stored. Lines without a key get one, so a connection that breaks stores
nothing twice.

  --url URL   the hub (default: HERALD_URL, or else http://localhost:8080${HUB_PATH})
  --quiet     print only what was not stored

The token is read from HERALD_TOKEN. The exit status is 1 when a line was not stored.
`;

/** Refusals that will meet every line. */
const FINAL = new Set(['unreachable', 'refused', 'unauthorized', 'token-invalid', 'token-malformed', 'token-revoked']);

/** `herald publish`: publishes the lines of the input, and says what was stored. */
export async function publishCommand(
  args: readonly string[],
  { env, input, output }: Surroundings,
  errors: { write(text: string): unknown },
): Promise<number> {
  const { url: given, quiet, help, ndjson } = orUsage(() => optionsOf(args), USAGE);
  if (help) {
    output.write(USAGE);
    return 0;
  }
  if (!ndjson) throw new UsageError(`Say --ndjson: the input is one JSON object a line.\n\n${USAGE}`);
  const url = hubUrlOf(given, env).href;
  const token = plainText(env['HERALD_TOKEN']);
  const publisher = new Publisher({ url, ...(token && { token }) });
  const lines = createInterface({ input: Readable.from(input), crlfDelay: Infinity });
  // No further line is waited for.
  const tally = new Tally(
    (text) => output.write(text),
    quiet,
    () => lines.close(),
  );
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    await publisher.ready();
    if (tally.isHopeless) break;
    tally.take(number, publishLine(publisher, line));
  }
  await publisher.close();
  await tally.finished();
  errors.write(`${tally.stored} of ${tally.all} updates were stored.\n`);
  return tally.stored === tally.all && !tally.isHopeless ? 0 : 1;
}

function optionsOf(args: readonly string[]): {
  url?: string | undefined;
  quiet: boolean;
  help: boolean;
  ndjson: boolean;
} {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      ndjson: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

async function publishLine(publisher: Publisher, line: string): Promise<string> {
  let update: unknown;
  try {
    update = JSON.parse(line);
  } catch (cause) {
    throw new PublishError('batch-line-invalid', 'The line is not valid JSON.', { cause });
  }
  if (typeof update !== 'object' || update === null || Array.isArray(update)) {
    throw new PublishError('batch-line-invalid', 'The line must be a JSON object.');
  }
  return publisher.publish(update);
}

/** Counts what was stored, and prints the answers in the order of the lines. */
class Tally {
  all = 0;
  stored = 0;
  /** Whether all further lines will be refused as well. */
  isHopeless = false;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly print: (text: string) => void,
    private readonly isQuiet: boolean,
    private readonly onHopeless: () => void,
  ) {}

  take(line: number, answer: Promise<string>): void {
    this.all += 1;
    const told = this.tell(line, answer);
    this.last = this.last.then(async () => this.print(await told));
  }

  finished(): Promise<void> {
    return this.last;
  }

  private async tell(line: number, answer: Promise<string>): Promise<string> {
    try {
      const id = await answer;
      this.stored += 1;
      return this.isQuiet ? '' : `${JSON.stringify({ line, id })}\n`;
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      const { code, message: detail } = error;
      if (FINAL.has(code) && !this.isHopeless) {
        this.isHopeless = true;
        this.onHopeless();
      }
      return `${JSON.stringify({ line, error: { code, detail } })}\n`;
    }
  }
}
