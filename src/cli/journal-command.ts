import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { stdin } from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { JournalOpenError, JournalUnavailableError } from '../storage/journal/journal.js';
import type { LmdbEnvironment } from '../storage/journal/lmdb/lmdb-environment.js';
import { UPDATES } from '../storage/journal/lmdb/lmdb-kind.js';
import { backup, BackupPlaceError } from '../storage/journal/lmdb/offline/backup.js';
import { compact } from '../storage/journal/lmdb/offline/compact.js';
import { faultsOf, recordsOf, withEnvironment } from '../storage/journal/lmdb/offline/lmdb-offline.js';
import {
  DamagedRecordError,
  encodeRecord,
  headOf,
  isTakenOut,
  type Newest,
} from '../storage/journal/lmdb/lmdb-record.js';
import type { LmdbTable, Placement } from '../storage/journal/lmdb/lmdb-table.js';
import type { Update } from '../storage/journal/update.js';
import { HubError } from '../access/hub.errors.js';
import { WILDCARD } from '../hub/matching/matcher.js';
import { messageOf } from '../shared/errors/message-of.js';
import { purge } from './journal-purge.js';
import { entryLine, headerLine, readEntry, readHeader } from './journal-ndjson.js';

const JOURNAL_USAGE = `herald journal stats PATH          what a journal holds
herald journal verify PATH         reads all of it, and says what is damaged
herald journal export PATH         writes it to standard output, as NDJSON
herald journal import PATH FILE    makes a new journal of an export; FILE may be - for standard input
herald journal purge PATH WHICH    takes updates out of it for good; WHICH is one of --topic TOPIC, --id ID and
                                   --match-urlpattern PATTERN
herald journal compact PATH        writes the files anew, without the bytes of what was trimmed or taken out
herald journal backup PATH COPY    copies it to a new directory, also while a service uses it

PATH is the directory of an LMDB journal that no service uses at the moment, other than for backup.`;

const OK = 0;
const FAILED = 1;
const BAD_USAGE = 2;

/** Faults that are printed at most. */
const SHOWN_FAULTS = 100;

/** Entries that are imported in one commit. */
const GROUP = 1_000;

interface Streams {
  readonly out: Writable;
  readonly err: Writable;
}

/** The options of `purge`. */
interface Criteria {
  readonly topic?: string;
  readonly id?: string;
  readonly 'match-urlpattern'?: string;
}

type Command = (paths: readonly string[], streams: Streams, criteria: Criteria) => Promise<number>;

interface Described {
  readonly paths: number;
  readonly run: Command;
  /** How many options it takes. Default: none. */
  readonly criteria?: number;
}

const COMMANDS: ReadonlyMap<string, Described> = new Map<string, Described>([
  ['stats', { paths: 1, run: stats }],
  ['verify', { paths: 1, run: verify }],
  ['compact', { paths: 1, run: compactAll }],
  ['backup', { paths: 2, run: backUp }],
  ['export', { paths: 1, run: exportAll }],
  ['import', { paths: 2, run: importAll }],
  ['purge', { paths: 1, run: purgeSome, criteria: 1 }],
]);

const OPTIONS = { topic: { type: 'string' }, id: { type: 'string' }, 'match-urlpattern': { type: 'string' } } as const;

/**
 * `herald journal …`: looks after the files of a stopped service, and copies those of a running one.
 * @returns the exit status: 0, or 1 when it failed or found something damaged, or 2 when it was called wrongly.
 */
export async function journalCommand(args: readonly string[], out: Writable, err: Writable): Promise<number> {
  const { positionals: [name, ...paths] = [], values = {} } = parse(args) ?? {};
  const command = COMMANDS.get(name ?? '');
  if (!command || command.paths !== paths.length || Object.keys(values).length !== (command.criteria ?? 0)) {
    err.write(`${JOURNAL_USAGE}\n`);
    return BAD_USAGE;
  }
  try {
    const [path = '', ...others] = paths;
    return await command.run([path.replace(/^lmdb:/, ''), ...others], { out, err }, values);
  } catch (error) {
    if (!isTold(error)) throw error;
    err.write(`${error.message}\n`);
    return FAILED;
  }
}

function parse(args: readonly string[]): { positionals: string[]; values: Criteria } | undefined {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch {
    return undefined;
  }
}

/** Failures whose message says all that the operator needs. */
function isTold(error: unknown): error is Error {
  return (
    error instanceof JournalOpenError ||
    error instanceof JournalUnavailableError ||
    error instanceof DamagedRecordError ||
    error instanceof BackupPlaceError ||
    error instanceof ImportError ||
    error instanceof HubError ||
    error instanceof PurgeError ||
    (error instanceof Error && 'syscall' in error)
  );
}

function stats([path = '']: readonly string[], { out }: Streams): Promise<number> {
  return withEnvironment(path, async ({ id, size, updates, presence }) => {
    const { first, last } = updates;
    const lines = {
      id,
      entries: updates.count,
      'first position': first ?? '–',
      'last position': last ?? '–',
      'stored from': timeAt(updates, first),
      'stored until': timeAt(updates, last),
      presence: presence.count,
      'bytes of files': size,
    };
    for (const [name, value] of Object.entries(lines)) out.write(`${name.padEnd(16)}${value}\n`);
    return OK;
  });
}

function verify([path = '']: readonly string[], { out, err }: Streams): Promise<number> {
  return withEnvironment(path, async (environment) => {
    let faults = 0;
    for (const fault of faultsOf(environment)) {
      faults += 1;
      if (faults <= SHOWN_FAULTS) err.write(`${fault}\n`);
    }
    const count = environment.updates.count + environment.presence.count;
    out.write(`${count} entries, ${faults === 0 ? 'nothing' : `${faults} thing(s)`} wrong\n`);
    return faults === 0 ? OK : FAILED;
  });
}

async function compactAll([path = '']: readonly string[], { out }: Streams): Promise<number> {
  // The files are opened once as a service does it, which refuses those that this version can't read.
  await withEnvironment(path, () => Promise.resolve());
  const { before, after } = await compact(path);
  out.write(`${before} bytes before, ${after} bytes after\n`);
  return OK;
}

async function backUp([path = '', copy = '']: readonly string[], { out }: Streams): Promise<number> {
  const { updates, last, bytes } = await backup(path, copy);
  out.write(`${updates} updates${last === undefined ? '' : ` up to position ${last}`}, ${bytes} bytes\n`);
  return OK;
}

/** Writes the updates alone, numbered without holes, so that earlier versions can import them too. */
function exportAll([path = '']: readonly string[], { out }: Streams): Promise<number> {
  return withEnvironment(path, async ({ updates }) => {
    await write(out, headerLine(updates.count));
    let position: number | undefined;
    for (const placed of recordsOf(updates)) {
      if (isTakenOut(placed.bytes)) continue;
      position = position === undefined ? headOf(placed).count : position + 1;
      // Waits until the output takes more, so that the journal does not pile up in memory.
      // oxlint-disable-next-line no-await-in-loop
      await write(out, entryLine(placed, position));
    }
    return OK;
  });
}

async function purgeSome([path = '']: readonly string[], { out }: Streams, criteria: Criteria): Promise<number> {
  const { topic, id, 'match-urlpattern': urlPattern = '' } = criteria;
  if ([topic, urlPattern].includes(WILDCARD))
    throw new PurgeError('Not everything: name a topic, or a pattern of some.');
  const what = topic !== undefined ? { topic } : id !== undefined ? { id } : { urlPattern };
  const removed = await purge(path, what, (ids) => void out.write(ids.map((one) => `${one}\n`).join('')));
  out.write(`${removed} updates taken out; until "herald journal compact" their bytes may still be in the files\n`);
  return OK;
}

async function importAll([path = '', file = '']: readonly string[], { out }: Streams): Promise<number> {
  // The file is opened first, so that a wrong file name does not leave an empty journal behind.
  const handle = file === '-' ? undefined : await open(file);
  const input = handle?.createReadStream({ autoClose: false }) ?? stdin;
  try {
    const count = await withEnvironment(path, (environment) => importInto(environment, input), { create: true });
    out.write(`${count} entries imported\n`);
    return OK;
  } finally {
    await handle?.close();
  }
}

async function importInto(environment: LmdbEnvironment, input: Readable): Promise<number> {
  const { updates, presence } = environment;
  if (updates.count + presence.count > 0) throw new ImportError('There is a journal already: choose a new path.');
  const importer = new Importer(environment);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) await importer.take(line);
  return importer.finish();
}

/** The updates that were named can't be taken out. */
class PurgeError extends Error {
  override readonly name = 'PurgeError';
}

/** Imports an export line by line into a new journal. Positions, times and idempotency keys stay as they were. */
class Importer {
  private lineNumber = 0;
  private expected = 0;
  private done = 0;
  private previous: (Newest & { readonly storedAt: number }) | undefined;
  private group: Placement[] = [];

  constructor(private readonly environment: LmdbEnvironment) {}

  async take(line: string): Promise<void> {
    this.lineNumber += 1;
    try {
      if (this.lineNumber === 1) this.expected = readHeader(line);
      else this.add(line);
    } catch (error) {
      throw this.failure(`line ${this.lineNumber} is wrong: ${messageOf(error)}`);
    }
    if (this.group.length >= GROUP) await this.flush();
  }

  /**
   * Writes the last entries, and returns how many were imported in all.
   * @throws {ImportError} when the export is empty or cut off.
   */
  async finish(): Promise<number> {
    if (this.lineNumber === 0) throw this.failure('it is empty');
    await this.flush();
    if (this.done !== this.expected) throw this.failure(`it ends after ${this.done} of ${this.expected} entries`);
    return this.done;
  }

  private add(line: string): void {
    const { position, record } = readEntry(line);
    if (this.previous && position !== this.previous.position + 1) {
      throw new Error(`position ${position} does not follow ${this.previous.position}`);
    }
    if (this.previous && record.storedAt < this.previous.storedAt) {
      throw new Error('it was stored before the entry that it follows');
    }
    const previous = this.previous ?? { position: position - 1, count: position - 1, total: 0 };
    const bytes = encodeRecord(UPDATES, record, position, previous);
    this.previous = headOf({ position, bytes });
    this.group.push({ position, bytes, id: record.content.id, idempotencyKey: record.idempotencyKey });
  }

  private async flush(): Promise<void> {
    const append = this.group;
    this.group = [];
    if (append.length > 0) await this.environment.write({ updates: { append, remove: [] } });
    this.done += append.length;
  }

  private failure(what: string): ImportError {
    const rest = this.done > 0 ? ` ${this.done} entries were imported before: remove the new journal.` : '';
    return new ImportError(`This is not an export that can be imported: ${what}.${rest}`);
  }
}

class ImportError extends Error {
  override readonly name = 'ImportError';
}

async function write(out: Writable, text: string): Promise<void> {
  if (!out.write(text)) await once(out, 'drain');
}

function timeAt(updates: LmdbTable<Update>, position: number | undefined): string {
  const bytes = position === undefined ? undefined : updates.get(position);
  return position && bytes ? new Date(headOf({ position, bytes }).storedAt).toISOString() : '–';
}
