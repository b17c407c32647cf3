import { randomBytes, randomUUID } from 'node:crypto';
import type { RootDatabase } from 'lmdb';
import { JournalOpenError } from '../journal.js';

/** The formats of the files. Each has what those before it have, and may lack it. Every later version reads all. */
export const FORMATS = {
  /** Files that never had comings and goings. */
  updatesOnly: 1,
  /** Files that had some. */
  presence: 2,
  /** Files of which updates were taken out. */
  takenOut: 3,
} as const;

/** The newest format that this version reads. */
const NEWEST = FORMATS.takenOut;

/** The key of the {@link LogHeader}. */
export const HEADER = 'about';

/** Facts about the files as a whole, stored as JSON. */
export interface LogHeader {
  readonly format: number;
  /** Made at random when the files are created, and never changed. */
  readonly id: string;
  /** In base64. Files of earlier versions get one when they are opened. */
  readonly secret?: string;
}

/**
 * Gives new files, which have no header, their header; checks the format of all others.
 * @throws {JournalOpenError} when this version does not know the format.
 */
export function formatOf(path: string, root: RootDatabase<Buffer, string>): number {
  const text = root.get(HEADER);
  const header = text ? decodeHeader(text) : { format: FORMATS.updatesOnly, id: randomUUID(), secret: newSecret() };
  if (!text) root.putSync(HEADER, encodeHeader(header));
  const { format } = header;
  if (Number.isInteger(format) && format >= FORMATS.updatesOnly && format <= NEWEST) return format;
  void root.close();
  throw new JournalOpenError(
    `The journal at ${path} has format ${format}, and this version of Herald reads formats up to ${NEWEST}: ` +
      'start the version that wrote it, or take its entries over with `herald journal export` of that version.',
  );
}

export function encodeHeader(header: LogHeader): Buffer {
  return Buffer.from(JSON.stringify(header));
}

export function decodeHeader(text: Buffer | undefined): LogHeader {
  return JSON.parse(text?.toString() ?? '{}') as LogHeader;
}

export function newSecret(): string {
  return randomBytes(32).toString('base64');
}
