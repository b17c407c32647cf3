import { HubError } from '../../access/hub.errors.js';
import type { UpdateDraft } from './check-update.js';

/** An update as code of the same process publishes it. */
export interface PublishDraft extends Omit<UpdateDraft, 'topics' | 'data'> {
  /** The canonical topic, before those of `topics`. At least one of the two is needed. */
  readonly topic?: string | undefined;
  /** One topic or several, of which the first is canonical where there is no `topic`. */
  readonly topics?: string | readonly string[] | undefined;
  /** A text as it is. Anything else goes as its JSON text: objects, lists, numbers, `true`, `false` and `null`. Default: empty. */
  readonly data?: unknown;
}

/**
 * What the draft asks for, which is yet to be checked.
 * @throws {HubError} `topic-invalid` for a topic that is no text; `data-invalid` for data that can't be written as JSON.
 */
export function draftOf(given: PublishDraft): UpdateDraft {
  if (isPlain(given)) return given;
  const { topic, topics = [], data, ...rest } = given;
  const all: readonly unknown[] = topic === undefined ? [topics].flat() : [topic, topics].flat();
  if (!all.every(isText)) throw new HubError('topic-invalid', 'A topic must be a text.');
  return { ...rest, topics: all, data: textOf(data) };
}

/** Whether it is a draft as publications over HTTP have it: there are many of these, and nothing is to be done for them. */
function isPlain(given: PublishDraft): given is UpdateDraft {
  const { topic, topics, data } = given;
  return (
    topic === undefined &&
    Array.isArray(topics) &&
    (data === undefined || typeof data === 'string') &&
    topics.every(isText)
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function textOf(data: unknown): string | undefined {
  if (data === undefined || typeof data === 'string') return data;
  const text = jsonOf(data);
  if (text !== undefined) return text;
  throw new HubError(
    'data-invalid',
    'The data is no text and cannot be written as JSON: functions and symbols cannot.',
  );
}

/** Undefined where JSON has nothing for it, as for a function. */
function jsonOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data);
  } catch (cause) {
    throw new HubError('data-invalid', 'The data cannot be written as JSON: it is circular, or has a `bigint`.', {
      cause,
    });
  }
}
