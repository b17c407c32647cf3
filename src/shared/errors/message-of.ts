/**
 * Why something failed, to be put into a sentence: never empty, and without a full stop. It is the message alone, because an
 * error may carry what must not be told, such as the password in a command of Redis.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What OpenSSL says is its reason, between numbers and names of its source files.
  const text = textOf(error, 'reason') || error.message || messageOfAll(error) || textOf(error, 'code') || error.name;
  return text.trim().replace(/\.$/, '');
}

/** A host with several addresses, none of which can be reached, makes one error of many, without a message of its own. */
function messageOfAll(error: Error): string {
  const errors: unknown = 'errors' in error ? error.errors : undefined;
  return Array.isArray(errors) ? [...new Set(errors.map((one: unknown) => messageOf(one)))].join(', ') : '';
}

function textOf(error: object, name: string): string {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}
