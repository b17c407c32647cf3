import { crc32 } from 'node:zlib';
import type { Update } from '../update.js';

/** An update as it lies on the disk, with what the journal must know of it besides. */
export interface JournalRecord {
  readonly update: Update;
  /** Wall clock, milliseconds; never less than that of the record before. */
  readonly storedAt: number;
  /** The cost of all records ever written, up to and including this one, in bytes: see {@link costOf}. */
  readonly total: number;
  readonly idempotencyKey: string | undefined;
  readonly fingerprint: string | undefined;
}

/** The part of a record that trimming reads of many records, without their text. */
export type RecordHead = Pick<JournalRecord, 'storedAt' | 'total'>;

/*
 * Format 1: the checksum of everything after it (CRC-32, big endian), `storedAt` and `total` (doubles, big endian), and
 * the rest as JSON, which keeps every string as it is. Changing any of it takes a new number in `lmdb-store.ts`.
 */
const CHECKSUM_BYTES = 4;
const TOTAL_AT = CHECKSUM_BYTES + 8;
const TEXT_AT = TOTAL_AT + 8;

type Text = readonly [
  id: string,
  topics: readonly string[],
  data: string,
  isPrivate: boolean,
  type: string | null,
  retry: number | null,
  idempotencyKey: string | null,
  fingerprint: string | null,
];

/** A page of LMDB; larger records lie on pages of their own. Bytes. */
const PAGE = 4_096;

/** What a record takes besides itself: its places in the indexes, and what pages leave empty. Bytes. */
const OVERHEAD = 256;

/** The bytes of the disk that a record of this length takes, roughly: what retention counts. */
export function costOf(length: number): number {
  return OVERHEAD + (length <= PAGE / 2 ? length : Math.ceil((length + 16) / PAGE) * PAGE);
}

/** @param totalBefore the `total` of the record before this one. */
export function encodeRecord(record: Omit<JournalRecord, 'total'>, totalBefore: number): Buffer {
  const { update, storedAt, idempotencyKey = null, fingerprint = null } = record;
  const { id, topics, data, type = null, retry = null } = update;
  const text: Text = [id, topics, data, update.private, type, retry, idempotencyKey, fingerprint];
  const json = JSON.stringify(text);
  const bytes = Buffer.allocUnsafeSlow(TEXT_AT + Buffer.byteLength(json));
  bytes.writeDoubleBE(storedAt, CHECKSUM_BYTES);
  bytes.writeDoubleBE(totalBefore + costOf(bytes.length), TOTAL_AT);
  bytes.write(json, TEXT_AT);
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKSUM_BYTES)));
  return bytes;
}

/** @throws {DamagedRecordError} when the checksum does not match. */
export function decodeRecord(bytes: Buffer): JournalRecord {
  const record = readRecord(bytes);
  if (!record) throw new DamagedRecordError();
  return record;
}

/** The record; undefined when its checksum does not match. */
export function readRecord(bytes: Buffer): JournalRecord | undefined {
  const head = readHead(bytes);
  if (!head) return undefined;
  const text = JSON.parse(bytes.toString('utf8', TEXT_AT)) as Text;
  const [id, topics, data, isPrivate, type, retry, idempotencyKey, fingerprint] = text;
  return {
    ...head,
    update: { topics, data, id, private: isPrivate, ...(type !== null && { type }), ...(retry !== null && { retry }) },
    idempotencyKey: idempotencyKey ?? undefined,
    fingerprint: fingerprint ?? undefined,
  };
}

/** The head of a record; undefined when the checksum of the whole record does not match. */
export function readHead(bytes: Buffer): RecordHead | undefined {
  if (bytes.length < TEXT_AT || crc32(bytes.subarray(CHECKSUM_BYTES)) !== bytes.readUInt32BE()) return undefined;
  return headOf(bytes);
}

/** The head of a record that is known to be whole. */
export function headOf(bytes: Buffer): RecordHead {
  return { storedAt: bytes.readDoubleBE(CHECKSUM_BYTES), total: bytes.readDoubleBE(TOTAL_AT) };
}

/** The checksum does not fit: the disk, or another program, has changed the file. */
export class DamagedRecordError extends Error {
  override readonly name = 'DamagedRecordError';

  constructor() {
    super('A record of the journal is damaged: stop the service and run `herald journal verify`.');
  }
}
