import { crc32 } from 'node:zlib';
import type { Identified, RecordKind } from './lmdb-kind.js';

/** A record as it lies on the disk, with its place. */
export interface Placed {
  readonly position: number;
  readonly bytes: Buffer;
}

/** What is stored of an append. */
export interface NewRecord<Content> {
  readonly content: Content;
  /** Wall clock, milliseconds; never less than that of the record before. */
  readonly storedAt: number;
  readonly idempotencyKey: string | undefined;
  readonly fingerprint: string | undefined;
}

/** The part of a record that trimming reads of many records, without their text. The sums are those of one table. */
export interface RecordHead {
  readonly position: number;
  readonly storedAt: number;
  /** The cost of all records ever written, up to and including this one, in bytes: see {@link costOf}. */
  readonly total: number;
  /** How many records were ever written, up to and including this one. */
  readonly count: number;
  /** The position of the record before this one, also when that has been removed; 0 for the first one. */
  readonly previous: number;
}

export interface JournalRecord<Content> extends Omit<NewRecord<Content>, 'storedAt'> {
  readonly head: RecordHead;
}

/** What a record continues: the newest one of its table. */
export type Newest = Pick<RecordHead, 'position' | 'total' | 'count'>;

/*
 * A record is the checksum of everything after it (CRC-32, big endian), `storedAt` and `total` (doubles, big endian),
 * and the rest as JSON, which keeps every string as it is. Where updates alone take positions, the count of a record is
 * its position, and the record before it has the position before; any other record has a mark, its `count` and
 * `previous` (doubles, big endian) before the JSON, which never begins with the mark. Format 1 has no marked records.
 * A record that was taken out has another mark, the same head, and in place of the JSON the length that it had (a
 * double). Formats 1 and 2 have none of these.
 * Changing any of this takes a new number in `lmdb-environment.ts`.
 */
const CHECKSUM_BYTES = 4;
const TOTAL_AT = CHECKSUM_BYTES + 8;
const MARK_AT = TOTAL_AT + 8;
const COUNT_AT = MARK_AT + 1;
const PREVIOUS_AT = COUNT_AT + 8;
const MARKED_TEXT_AT = PREVIOUS_AT + 8;

const MARK = 2;
const TAKEN_OUT = 3;

/** A page of LMDB; larger records lie on pages of their own. Bytes. */
const PAGE = 4_096;

/** What a record takes besides itself: its places in the indexes, and what pages leave empty. Bytes. */
const OVERHEAD = 256;

/** The bytes of the disk that a record of this length takes, roughly: what retention counts. */
function costOf(length: number): number {
  return OVERHEAD + (length <= PAGE / 2 ? length : Math.ceil((length + 16) / PAGE) * PAGE);
}

/** The same of a record: one that was taken out counts as what it was. */
export function costOfRecord(bytes: Buffer): number {
  return costOf(isTakenOut(bytes) ? bytes.readDoubleBE(MARKED_TEXT_AT) : bytes.length);
}

/** The record's bytes at this position, where it continues the record `newest`. */
export function encodeRecord<Content extends Identified>(
  kind: RecordKind<Content>,
  record: NewRecord<Content>,
  position: number,
  newest: Newest,
): Buffer {
  const { content, storedAt, idempotencyKey = null, fingerprint = null } = record;
  const json = JSON.stringify(kind.pack(content, idempotencyKey, fingerprint));
  const count = newest.count + 1;
  const isPlain = count === position && newest.position + 1 === position;
  const textAt = isPlain ? MARK_AT : MARKED_TEXT_AT;
  const bytes = Buffer.allocUnsafeSlow(textAt + Buffer.byteLength(json));
  bytes.writeDoubleBE(storedAt, CHECKSUM_BYTES);
  bytes.writeDoubleBE(newest.total + costOf(bytes.length), TOTAL_AT);
  if (!isPlain) {
    bytes.writeUInt8(MARK, MARK_AT);
    bytes.writeDoubleBE(count, COUNT_AT);
    bytes.writeDoubleBE(newest.position, PREVIOUS_AT);
  }
  bytes.write(json, textAt);
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKSUM_BYTES)));
  return bytes;
}

/** What takes the place of a record that is whole: its head, without its content. */
export function takenOut(placed: Placed): Buffer {
  const { storedAt, total, count, previous } = headOf(placed);
  const bytes = Buffer.allocUnsafeSlow(MARKED_TEXT_AT + 8);
  bytes.writeDoubleBE(storedAt, CHECKSUM_BYTES);
  bytes.writeDoubleBE(total, TOTAL_AT);
  bytes.writeUInt8(TAKEN_OUT, MARK_AT);
  bytes.writeDoubleBE(count, COUNT_AT);
  bytes.writeDoubleBE(previous, PREVIOUS_AT);
  bytes.writeDoubleBE(placed.bytes.length, MARKED_TEXT_AT);
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKSUM_BYTES)));
  return bytes;
}

/** Whether a record is one that was {@link takenOut}, and whole. */
export function isTakenOut(bytes: Buffer): boolean {
  return bytes[MARK_AT] === TAKEN_OUT && isWhole(bytes);
}

/** @throws {DamagedRecordError} when the checksum does not match. */
export function checkRecord(placed: Placed): void {
  if (!readHead(placed)) throw new DamagedRecordError();
}

/** @throws {DamagedRecordError} when the checksum does not match. The record must not have been taken out. */
export function decodeRecord<Content extends Identified>(
  kind: RecordKind<Content>,
  placed: Placed,
): JournalRecord<Content> {
  const record = readRecord(kind, placed);
  if (!record) throw new DamagedRecordError();
  return record;
}

/** The record; undefined when its checksum does not match, and when it was taken out: {@link readHead} tells them apart. */
export function readRecord<Content extends Identified>(
  kind: RecordKind<Content>,
  placed: Placed,
): JournalRecord<Content> | undefined {
  const head = readHead(placed);
  const { bytes } = placed;
  if (!head || isTakenOut(bytes)) return undefined;
  const fields = JSON.parse(bytes.toString('utf8', isMarked(bytes) ? MARKED_TEXT_AT : MARK_AT)) as unknown[];
  const idempotencyKey = (fields.at(-2) ?? undefined) as string | undefined;
  const fingerprint = (fields.at(-1) ?? undefined) as string | undefined;
  return { head, content: kind.unpack(fields), idempotencyKey, fingerprint };
}

/** The head of a record; undefined when the checksum of the whole record does not match. */
export function readHead(placed: Placed): RecordHead | undefined {
  const { bytes } = placed;
  return isWhole(bytes) ? headOf(placed) : undefined;
}

function isWhole(bytes: Buffer): boolean {
  return bytes.length > MARK_AT && crc32(bytes.subarray(CHECKSUM_BYTES)) === bytes.readUInt32BE();
}

/** The head of a record that is known to be whole. */
export function headOf({ position, bytes }: Placed): RecordHead {
  const [storedAt, total] = [bytes.readDoubleBE(CHECKSUM_BYTES), bytes.readDoubleBE(TOTAL_AT)];
  if (!isMarked(bytes)) return { position, storedAt, total, count: position, previous: position - 1 };
  const [count, previous] = [bytes.readDoubleBE(COUNT_AT), bytes.readDoubleBE(PREVIOUS_AT)];
  return { position, storedAt, total, count, previous };
}

function isMarked(bytes: Buffer): boolean {
  return bytes[MARK_AT] === MARK || bytes[MARK_AT] === TAKEN_OUT;
}

/** The checksum does not fit: the disk, or another program, has changed the file. */
export class DamagedRecordError extends Error {
  override readonly name = 'DamagedRecordError';

  constructor() {
    super('A record of the journal is damaged: stop the service and run `herald journal verify`.');
  }
}
