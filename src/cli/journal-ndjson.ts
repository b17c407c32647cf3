import { z } from 'zod';
import { UPDATES } from '../storage/journal/lmdb/lmdb-kind.js';
import { decodeRecord, type NewRecord, type Placed } from '../storage/journal/lmdb/lmdb-record.js';
import type { Update } from '../storage/journal/update.js';
import { traceParentOf } from '../shared/trace/traceparent.js';
import { CURSOR_PREFIX, isCursor } from '../hub/cursors/cursors.js';

/** The version of the export format. Every later version of Herald has to read it. */
const FORMAT = 1;

const header = z.object({
  journal: z.literal('herald'),
  format: z.literal(FORMAT, `this version of Herald reads exports of format ${FORMAT}`),
  /** How many lines follow. An export that was cut off has fewer. */
  entries: z.int().nonnegative(),
});

const entry = z.object({
  position: z.int().positive(),
  /** Milliseconds since 1970. */
  storedAt: z.number().nonnegative(),
  id: z
    .string()
    .min(1)
    .refine((id) => !isCursor(id), `an id can not begin with "${CURSOR_PREFIX}"`),
  topics: z.array(z.string()).min(1),
  data: z.string(),
  private: z.boolean(),
  type: z.string().optional(),
  retry: z.number().optional(),
  traceparent: z
    .string()
    .refine((text) => traceParentOf(text)?.text === text, 'it is not as W3C Trace Context has it, of version 00')
    .optional(),
  idempotencyKey: z.string().optional(),
  fingerprint: z.string().optional(),
});

export interface ImportedEntry {
  readonly position: number;
  readonly record: NewRecord<Update>;
}

/** The first line of an export. */
export function headerLine(entries: number): string {
  return `${JSON.stringify({ journal: 'herald', format: FORMAT, entries })}\n`;
}

/**
 * An update as a line of NDJSON. What is absent has no member.
 * @param position the one that it gets when it is imported.
 */
export function entryLine(placed: Placed, position: number): string {
  const { head, content, idempotencyKey, fingerprint } = decodeRecord(UPDATES, placed);
  return `${JSON.stringify({ position, storedAt: head.storedAt, ...content, idempotencyKey, fingerprint })}\n`;
}

/** How many entries the export says that it has. @throws {Error} when the line is not the first one of an export. */
export function readHeader(line: string): number {
  return parse(header, line).entries;
}

/** The entry of a line. @throws {Error} that says what is wrong with the line. */
export function readEntry(line: string): ImportedEntry {
  const { position, storedAt, idempotencyKey, fingerprint, ...rest } = parse(entry, line);
  const { type, retry, traceparent, ...update } = rest;
  return {
    position,
    record: {
      storedAt,
      content: {
        ...update,
        ...(type !== undefined && { type }),
        ...(retry !== undefined && { retry }),
        ...(traceparent !== undefined && { traceparent }),
      },
      idempotencyKey,
      fingerprint,
    },
  };
}

function parse<Shape extends z.ZodType>(shape: Shape, line: string): z.output<Shape> {
  const result = shape.safeParse(parseJson(line));
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(issues.join('; '));
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error('it is not JSON');
  }
}
