import { createBackoff } from './backoff.js';
import { call, pause, unlessAborted } from './call.js';
import { HeraldError, type Problem } from './errors.js';
import { randomKey, toPayload } from './payload.js';
import type { UpdateOptions } from './publisher.js';
import type { StreamSettings } from './stream.js';
import type { TokenRequest } from './token.js';

/** An update of a batch: with one topic or several, the first of which is canonical. */
export interface BatchUpdate extends UpdateOptions {
  readonly topic: string | readonly string[];
  readonly data: unknown;
}

/** What became of one update: it is stored under this id, or was refused. */
export type BatchAnswer =
  { readonly id: string; readonly error?: undefined } | { readonly id?: undefined; readonly error: HeraldError };

export interface BatchOptions {
  /** Called as soon as the update with this index is stored or refused, in order. */
  readonly onAnswer?: (answer: BatchAnswer, index: number) => unknown;
  /** Ends the batch: nothing more is sent. */
  readonly signal?: AbortSignal;
}

/** A part of a batch, which goes as one body: browsers can stream bodies only over HTTP/2, and some not at all. */
const PIECE = { updates: 500, characters: 256 * 1024 };

/** Milliseconds to wait for a further update before a piece that is not full is sent. */
const GATHER = 10;

/** Attempts in a row in which the hub takes nothing of a piece. */
const ATTEMPTS = 4;

/** Refusals of an update that may be over in a moment. */
const PASSING = new Set<string | undefined>(['journal-unavailable', 'overloaded', 'rate-limited']);

/** An update of a piece: the line to send, and what became of it. */
interface Entry {
  readonly line: string;
  answer?: BatchAnswer;
}

/**
 * Publishes many updates in order, and resolves with an answer for each of them: one that is refused stops no other.
 * The source is read only as fast as the hub takes what comes from it. Whatever is sent again goes under the same keys.
 * @throws {HeraldError} as `publish`, where the hub takes none at all. What was answered by then is stored; of the rest,
 *   up to 500 updates may be. Throws the signal's reason once it is aborted.
 */
export async function publishBatch(
  settings: StreamSettings,
  updates: Iterable<BatchUpdate> | AsyncIterable<BatchUpdate>,
  { onAnswer, signal }: BatchOptions = {},
): Promise<BatchAnswer[]> {
  const answers: BatchAnswer[] = [];
  for await (const piece of piecesOf(updates, signal)) {
    await send(settings, piece, signal);
    for (const { answer } of piece) {
      if (!answer) continue;
      answers.push(answer);
      onAnswer?.(answer, answers.length - 1);
    }
  }
  return answers;
}

/** The updates in pieces, each of which has what came without much of a wait. */
async function* piecesOf(
  updates: Iterable<BatchUpdate> | AsyncIterable<BatchUpdate>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Entry[], void, undefined> {
  const iterator = Symbol.asyncIterator in updates ? updates[Symbol.asyncIterator]() : updates[Symbol.iterator]();
  const ask = (): Promise<IteratorResult<BatchUpdate>> => {
    const coming = unlessAborted(signal, (async () => iterator.next())());
    // It may fail while a piece is under way, and is heard of when it is waited for.
    coming.catch(() => undefined);
    return coming;
  };
  let coming = ask();
  try {
    // oxlint-disable-next-line no-await-in-loop -- a source is read in order
    for (let next = await coming; !next.done; next = await coming) {
      const piece: Entry[] = [];
      const isDue = delay(GATHER);
      let size = 0;
      for (let one: IteratorResult<BatchUpdate> | undefined = next; one && !one.done;) {
        const entry = toEntry(one.value);
        size += entry.line.length;
        coming = ask();
        const isFull = piece.push(entry) >= PIECE.updates || size >= PIECE.characters;
        // oxlint-disable-next-line no-await-in-loop -- as above
        one = isFull ? undefined : await Promise.race([coming, isDue]);
      }
      yield piece;
    }
  } finally {
    // The source may still be busy, and nobody waits for it any more.
    (async () => iterator.return?.())().catch(() => undefined);
  }
}

function delay(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined));
}

function toEntry({ topic, data, as, private: isPrivate, idempotencyKey = randomKey(), ...others }: BatchUpdate): Entry {
  try {
    const { id, type, retry } = others;
    const fields = { topic, data: toPayload(data, as), id, type, retry, private: isPrivate, key: idempotencyKey };
    return { line: JSON.stringify(fields) };
  } catch (error) {
    return { line: '', answer: { error: error as HeraldError } };
  }
}

/** Sends the updates of a piece until each of them is answered. */
async function send(settings: StreamSettings, piece: readonly Entry[], signal: AbortSignal | undefined): Promise<void> {
  const backoff = createBackoff();
  let reason: TokenRequest['reason'] = 'publish';
  let failures = 0;
  for (;;) {
    const waiting = piece.filter(({ answer }) => !answer);
    if (waiting.length === 0) return;
    // oxlint-disable-next-line no-await-in-loop -- what is sent again is what was not answered
    const { text } = await call(settings, {
      what: 'the batch',
      path: '/batch',
      body: waiting.map(({ line }) => line).join('\n'),
      headers: { 'content-type': NDJSON },
      reason,
      use: 'publish',
      signal,
      extension: { type: NDJSON, missing: 'This hub takes no batches: publish the updates one by one.' },
    });
    const end = note(text, waiting, failures + 1 >= ATTEMPTS);
    if (end === 'revoked') throw new HeraldError('unauthorized', 'The token was revoked: give the client another one.');
    if (end === 'expired') reason = end;
    if (waiting.every(({ answer }) => answer)) return;
    failures = waiting.some(({ answer }) => answer) ? 0 : failures + 1;
    if (failures === 0) backoff.reset();
    if (failures >= ATTEMPTS) throw new HeraldError('busy', 'The hub takes nothing of the batch: try again later.');
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(backoff.next(), signal);
  }
}

const NDJSON = 'application/x-ndjson';

/** A line of the hub's answer. */
interface Line {
  readonly id?: string;
  readonly error?: Problem;
  /** Why the hub has read no further. */
  readonly end?: string;
}

/** Notes the answers to these entries, in order. Returns why the hub ended the batch, if it did. */
function note(text: string, entries: readonly Entry[], isLastAttempt: boolean): string | undefined {
  const lines = text.split('\n').filter((line) => line !== '');
  for (const [index, json] of lines.entries()) {
    const { id, error: problem, end }: Line = parse(json);
    if (end !== undefined) return end;
    const entry = entries[index];
    if (!entry) return undefined;
    if (id !== undefined) entry.answer = { id };
    else if (problem && (isLastAttempt || !PASSING.has(problem.code))) entry.answer = { error: refusalOf(problem) };
  }
  return undefined;
}

/** A line that was cut off answers nothing. */
function parse(json: string): Line {
  try {
    return JSON.parse(json) as Line;
  } catch {
    return {};
  }
}

function refusalOf(problem: Problem): HeraldError {
  const code = PASSING.has(problem.code) ? 'busy' : 'refused';
  const message = `The hub has refused the update (${problem.code}): ${problem.detail ?? 'it does not say why.'}`;
  return new HeraldError(code, message, { problem });
}
