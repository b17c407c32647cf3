/** Milliseconds between two calls. */
const QUIET = 60_000;

/** Calls `tell` the first time, and then at most once a minute: for what happens again and again, and is worth one line. */
export function seldom(tell: () => void): () => void {
  let toldAt = -Infinity;
  return () => {
    const now = performance.now();
    if (now - toldAt < QUIET) return;
    toldAt = now;
    tell();
  };
}
