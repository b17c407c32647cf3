import { isUtf8 } from 'node:buffer';
import type { UpdateDraft } from '../../../update/check-update.js';
import { HubError } from '../../../../access/hub.errors.js';
import { checkIdempotencyKey } from '../idempotency-key.js';

/** What a line of a batch asks for: a draft that is yet to be checked. */
export interface BatchLine {
  readonly draft: UpdateDraft;
  readonly idempotencyKey: string | undefined;
}

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === 'string';

/** The fields of a line, other than `data`, which may be anything: whether a value is right, and what it must be. */
const FIELDS: readonly (readonly [name: string, isRight: Check, type: string])[] = [
  ['topic', isString, 'string'],
  ['topics', (value) => Array.isArray(value) && value.every(isString), 'array of strings'],
  ['id', isString, 'string'],
  ['type', isString, 'string'],
  ['retry', (value) => typeof value === 'number', 'number'],
  ['private', (value) => typeof value === 'boolean', 'boolean'],
  ['key', isString, 'string'],
];

interface LineFields {
  readonly topic?: string;
  readonly topics?: readonly string[];
  readonly data?: unknown;
  readonly id?: string;
  readonly type?: string;
  readonly retry?: number;
  readonly private?: boolean;
  readonly key?: string;
}

/**
 * Reads a line of a batch. It is a JSON object with `topic`, `topics` or both (`topic` is then the canonical one), and
 * `data`, `id`, `type`, `retry` (milliseconds), `private` (a boolean) and `key` (an idempotency key) as it needs them;
 * unknown fields are ignored. Data that is no string is published as its JSON text.
 *
 * @throws HubError `batch-line-invalid`, or `idempotency-key-invalid`
 */
export function readLine(line: Buffer): BatchLine {
  const { topic, topics = [], data, id, type, retry, private: isPrivate = false, key } = fieldsOf(line);
  const draft = {
    topics: topic === undefined ? topics : [topic, ...topics],
    data: data === undefined || typeof data === 'string' ? data : textOf(data),
    id,
    type,
    retry,
    private: isPrivate,
  };
  return { draft, idempotencyKey: key === undefined ? undefined : checkIdempotencyKey(key) };
}

/** @throws HubError where the value nests so deeply that it can be read but not written */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw invalid('The line is not valid JSON, or nests too deeply.', cause);
  }
}

/** A schema of zod took a fifth of the time that a line may cost, so the few fields are looked at here. */
function fieldsOf(line: Buffer): LineFields {
  const value = parse(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('The line must be a JSON object.');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const [name, isRight, type] of FIELDS) {
    const field = fields[name];
    if (field !== undefined && !isRight(field)) throw invalid(`The field "${name}" must be of type ${type}.`);
  }
  return fields;
}

function parse(line: Buffer): unknown {
  if (!isUtf8(line)) throw invalid('The line is not valid UTF-8.');
  try {
    return JSON.parse(line.toString()) as unknown;
  } catch (cause) {
    throw invalid('The line is not valid JSON, or nests too deeply.', cause);
  }
}

function invalid(message: string, cause?: unknown): HubError {
  return new HubError('batch-line-invalid', message, { cause });
}
