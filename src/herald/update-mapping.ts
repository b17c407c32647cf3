import type { UpdateDraft } from '../hub/update/check-update.js';
import { topicTemplate } from './topic-template.js';

/**
 * Where updates go: topics whose placeholders (`:name`) are filled from the value, percent-encoded, or a function that
 * gives topics as they are.
 */
export type Topics<Value, Context> =
  string | readonly string[] | ((value: Value, context: Context) => string | readonly string[]);

/**
 * How something that the application has at hand becomes an update. The functions answer at once: none of them may be
 * asynchronous.
 */
export interface UpdateMapping<Value, Context> {
  readonly topics: Topics<Value, Context>;
  /** What is published in place of the value itself. Either goes out as JSON, and `undefined` as `null`. */
  readonly map?: ((value: Value, context: Context) => unknown) | undefined;
  /** The event's type. Default: none, which clients see as `message`. */
  readonly type?: string | ((value: Value, context: Context) => string | undefined) | undefined;
  /** Whether only readers get it who are granted one of its topics. Default: no. */
  readonly private?: boolean | ((value: Value, context: Context) => boolean) | undefined;
  /** Whether it is published at all. Default: yes. */
  readonly when?: ((value: Value, context: Context) => boolean) | undefined;
}

/** Makes an update of a value; undefined where it is not to be published. Throws what the mapping throws. */
export type DraftMaker<Value, Context> = (value: Value, context: Context) => UpdateDraft | undefined;

/** @throws {Error} where it can be seen already that the mapping is wrong. */
export function draftMaker<Value, Context>(mapping: UpdateMapping<Value, Context>): DraftMaker<Value, Context> {
  const topicsOf = topicMaker(mapping.topics);
  return (value, context) => {
    if (mapping.when && !mapping.when(value, context)) return undefined;
    const { type, private: isPrivate = false } = mapping;
    const answer: unknown = typeof isPrivate === 'function' ? isPrivate(value, context) : isPrivate;
    return {
      topics: topicsOf(value, context),
      data: textOf(mapping.map ? mapping.map(value, context) : value),
      type: typeof type === 'function' ? type(value, context) : type,
      // Whatever else than `false` somebody answers who has no types, nobody reads it who may not.
      private: answer !== false,
    };
  };
}

function topicMaker<Value, Context>(topics: Topics<Value, Context>): (value: Value, context: Context) => string[] {
  if (typeof topics === 'function') return (value, context) => [topics(value, context)].flat();
  const templates = [topics].flat().map(topicTemplate);
  if (templates.length === 0) throw new Error('There is no topic to publish to: name at least one.');
  return (value, context) => templates.map((template) => template([value, context]));
}

function textOf(data: unknown): string {
  if (data instanceof Promise) {
    data.catch(() => undefined);
    throw new TypeError('What is to be published is a promise: a mapping has to answer at once.');
  }
  return JSON.stringify(data) ?? 'null';
}
