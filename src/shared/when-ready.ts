/**
 * Uses a value at once where it is there already, and else as soon as it is. Most requests have all that they need at hand,
 * and would pay for each promise.
 */
export function whenReady<Value, Result>(
  value: Value | Promise<Value>,
  use: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return isPending(value) ? value.then(use) : use(value);
}

/** Whether it has to be waited for. Promises of other kinds than Node's count as well. */
function isPending<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
