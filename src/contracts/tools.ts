import type fc from 'fast-check';

/**
 * What the suites are made with, of whatever runs the tests: Jest and Vitest have all of it, and beside `node:test` goes the
 * package `expect`. `fc` is fast-check's.
 */
export interface Tools {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, test: () => Promise<void>) => unknown;
  readonly beforeEach: (prepare: () => void | Promise<void>) => unknown;
  readonly afterEach: (cleanUp: () => void | Promise<void>) => unknown;
  readonly expect: Expect;
  readonly fc: typeof fc;
}

export interface Expect {
  (actual: unknown): Expectation;
  arrayContaining(items: unknown[]): unknown;
  objectContaining(fields: Record<string, unknown>): unknown;
}

/** What can be expected of a value. */
export interface Matchers {
  toBe(expected: unknown): unknown;
  toBeGreaterThan(expected: number): unknown;
  toBeLessThanOrEqual(expected: number): unknown;
  toBeUndefined(): unknown;
  toContain(item: unknown): unknown;
  toEqual(expected: unknown): unknown;
  toHaveLength(length: number): unknown;
  toMatchObject(expected: object): unknown;
}

/** What `expect(…)` gives. */
export interface Expectation extends Matchers {
  readonly not: Matchers;
  /** Matchers that wait for a promise, and give one. */
  readonly resolves: {
    readonly toBeUndefined: () => Promise<unknown>;
    readonly toEqual: (expected: unknown) => Promise<unknown>;
  };
}
