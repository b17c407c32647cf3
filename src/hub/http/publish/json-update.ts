import { isUtf8 } from 'node:buffer';
import type { UpdateDraft } from '../../update/check-update.js';
import { HubError } from '../../../access/hub.errors.js';
import { checkIdempotencyKey } from './idempotency-key.js';

/** What an update as JSON asks for: a draft that is yet to be checked. */
interface JsonUpdate {
  readonly draft: UpdateDraft;
  readonly idempotencyKey: string | undefined;
}

const NO_JSON = 'The update is not valid JSON, or nests too deeply.';

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
export function readUpdate(json: Buffer | string, refusal: Refusal): JsonUpdate {
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

/**
 * A schema of zod took a fifth of the time that a line may cost, and a list of the fields with their checks a fiftieth, so
 * each is looked at here.
 */
function fieldsOf(json: Buffer | string, refusal: Refusal): Fields {
  const value = parse(json, refusal);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HubError(refusal, 'The update must be a JSON object.');
  }
  const fields: { readonly [name in keyof Fields]: unknown } = value;
  const { topic, topics, id, type, retry, private: isPrivate, key } = fields;
  const check = (isRight: boolean, name: string, expected: string): void => {
    if (!isRight) throw new HubError(refusal, `The field "${name}" must be of type ${expected}.`);
  };
  check(isStringIfAny(topic) || isStrings(topic), 'topic', 'string or array of strings');
  check(topics === undefined || isStrings(topics), 'topics', 'array of strings');
  check(isStringIfAny(id), 'id', 'string');
  check(isStringIfAny(type), 'type', 'string');
  check(retry === undefined || typeof retry === 'number', 'retry', 'number');
  check(isPrivate === undefined || typeof isPrivate === 'boolean', 'private', 'boolean');
  check(isStringIfAny(key), 'key', 'string');
  return fields as Fields;
}

function isStringIfAny(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** @param json bytes, or a text that was ASCII. */
function parse(json: Buffer | string, refusal: Refusal): unknown {
  if (typeof json !== 'string' && !isUtf8(json)) throw new HubError(refusal, 'The update is not valid UTF-8.');
  try {
    return JSON.parse(json.toString()) as unknown;
  } catch (cause) {
    throw new HubError(refusal, NO_JSON, { cause });
  }
}
