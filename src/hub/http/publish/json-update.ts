import { isUtf8 } from 'node:buffer';
import type { UpdateDraft } from '../../update/check-update.js';
import { HubError } from '../../../access/hub.errors.js';
import { checkIdempotencyKey } from './idempotency-key.js';

/** What an update as JSON asks for: a draft that is yet to be checked. */
interface JsonUpdate {
  readonly draft: UpdateDraft;
  readonly idempotencyKey: string | undefined;
}

type Check = (value: unknown) => boolean;

const NO_JSON = 'The update is not valid JSON, or nests too deeply.';

const isString: Check = (value) => typeof value === 'string';

const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);

/** The fields of an update, other than `data`, which may be anything: whether a value is right, and what it must be. */
const FIELDS: readonly (readonly [name: string, isRight: Check, type: string])[] = [
  ['topic', (value) => isString(value) || isStrings(value), 'string or array of strings'],
  ['topics', isStrings, 'array of strings'],
  ['id', isString, 'string'],
  ['type', isString, 'string'],
  ['retry', (value) => typeof value === 'number', 'number'],
  ['private', (value) => typeof value === 'boolean', 'boolean'],
  ['key', isString, 'string'],
];

interface Fields {
  readonly topic?: string | readonly string[];
  readonly topics?: readonly string[];
  readonly data?: unknown;
  readonly id?: string;
  readonly type?: string;
  readonly retry?: number;
  readonly private?: boolean;
  readonly key?: string;
  readonly traceparent?: unknown;
}

/** How an update that can't be read is refused: where it is a line, others beside it go on. */
type Refusal = 'batch-line-invalid' | 'json-invalid';

/**
 * Reads an update as JSON, be it a body or a line of a batch. It is an object with `topic` (one or several), `topics` or
 * both (`topic` then has the canonical one), and `data`, `id`, `type`, `retry` (milliseconds), `private` (a boolean), `key` (an idempotency key) and `traceparent` as it
 * needs them; unknown fields are ignored, and so is a `traceparent` that is not valid. Data that is no string is published as its JSON text.
 *
 * @throws HubError the `refusal`, or `idempotency-key-invalid`
 */
export function readUpdate(json: Buffer, refusal: Refusal): JsonUpdate {
  const {
    topic,
    topics = [],
    data,
    id,
    type,
    retry,
    private: isPrivate = false,
    key,
    traceparent,
  } = fieldsOf(json, refusal);
  const draft = {
    topics: topicsOf(topic, topics),
    data: data === undefined || typeof data === 'string' ? data : textOf(data, refusal),
    id,
    type,
    retry,
    private: isPrivate,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  };
  return { draft, idempotencyKey: key === undefined ? undefined : checkIdempotencyKey(key) };
}

/** Most updates have one topic, for which `flat` would take longer than all the rest here. */
function topicsOf(topic: Fields['topic'], topics: NonNullable<Fields['topics']>): NonNullable<Fields['topics']> {
  if (topic === undefined) return topics;
  return typeof topic === 'string' && topics.length === 0 ? [topic] : [topic, topics].flat();
}

/** @throws HubError where the value nests so deeply that it can be read but not written */
function textOf(value: unknown, refusal: Refusal): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new HubError(refusal, NO_JSON, { cause });
  }
}

/** A schema of zod took a fifth of the time that a line may cost, so the few fields are looked at here. */
function fieldsOf(json: Buffer, refusal: Refusal): Fields {
  const value = parse(json, refusal);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HubError(refusal, 'The update must be a JSON object.');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const [name, isRight, type] of FIELDS) {
    const field = fields[name];
    if (field !== undefined && !isRight(field))
      throw new HubError(refusal, `The field "${name}" must be of type ${type}.`);
  }
  return fields;
}

function parse(json: Buffer, refusal: Refusal): unknown {
  if (!isUtf8(json)) throw new HubError(refusal, 'The update is not valid UTF-8.');
  try {
    return JSON.parse(json.toString()) as unknown;
  } catch (cause) {
    throw new HubError(refusal, NO_JSON, { cause });
  }
}
