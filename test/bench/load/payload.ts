/**
 * What the benchmark publishes: `<number>.<microseconds>.xxxx…`, padded to the wanted size. The number says which event it
 * is, the time when it was published by the load generator's own clock; neither needs escaping in any of the peers' formats.
 */
const PADDING = 'x'.repeat(64 * 1024);

/** A payload of exactly `bytes` ASCII characters (at least what the two numbers need). */
export function makePayload(eventNumber: number, microseconds: number, bytes: number): string {
  const start = `${eventNumber}.${microseconds}.`;
  return start + PADDING.slice(0, Math.max(0, bytes - start.length));
}

/** The load generator's clock in whole microseconds. */
export function nowMicroseconds(): number {
  return Math.round(performance.now() * 1000);
}
