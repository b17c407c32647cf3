/** Gives a topic whose placeholders have the values that the sources have; the first source that has one counts. */
export type TopicTemplate = (sources: readonly unknown[]) => string;

/** The colon of `https:` or `urn:` begins no placeholder. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** A name never begins with a digit, so that a port is none. */
const PLACEHOLDER = /:([a-z_]\w*)/gi;

/** In `urn:order:id` nobody can tell whether `id` is a word or a name, nor where the colon would go. */
const DOUBTFUL = /[a-z0-9]:[a-z_]/i;

/** The topic, or the template of one, cannot be used as it is. */
class TopicTemplateError extends Error {
  override readonly name = 'TopicTemplateError';
}

/**
 * Reads a topic such as `https://example.com/orders/:id`, where each `:name` after the scheme stands for a value. Values
 * are percent-encoded, so that none of them adds a segment or a query. A part of a URN is `urn:order::id`.
 * @throws {Error} where the text is empty or doubtful; the template throws where a placeholder has no value.
 */
export function topicTemplate(text: string): TopicTemplate {
  if (text === '') throw new TopicTemplateError('A topic to publish to is empty: write one, such as "/orders/:id".');
  const scheme = SCHEME.exec(text)?.[0] ?? '';
  const rest = text.slice(scheme.length);
  if (DOUBTFUL.test(rest)) {
    throw new TopicTemplateError(
      'A topic has a name right behind a letter or digit and a colon: write "::name" for a part of a URN, or give the ' +
        'topic by a function.',
    );
  }
  return (sources) => scheme + rest.replace(PLACEHOLDER, (_, name: string) => encoded(name, valueOf(name, sources)));
}

function valueOf(name: string, sources: readonly unknown[]): string | undefined {
  for (const source of sources) {
    const value = typeof source === 'object' && source !== null ? textOf(Reflect.get(source, name)) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The text of a value that can stand in a topic. Dates, and the ids of databases, are texts as JSON. */
function textOf(value: unknown): string | undefined {
  const plain = isJsonObject(value) ? value.toJSON() : value;
  if (typeof plain === 'string') return plain === '' ? undefined : plain;
  const isNumber = typeof plain === 'bigint' || (typeof plain === 'number' && Number.isFinite(plain));
  return isNumber || typeof plain === 'boolean' ? String(plain) : undefined;
}

function isJsonObject(value: unknown): value is { toJSON: () => unknown } {
  return typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function';
}

function encoded(name: string, value: string | undefined): string {
  if (value === undefined) {
    throw new TopicTemplateError(
      `The topic's placeholder ":${name}" has no value: return one, or give the topic by a function.`,
    );
  }
  // They stay what they are when encoded, and whoever resolves the topic takes them for a way to another one.
  if (value === '.' || value === '..') {
    throw new TopicTemplateError(`The topic's placeholder ":${name}" has a value that no segment of a topic may have.`);
  }
  return encodeURIComponent(value);
}
