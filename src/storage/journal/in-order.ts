interface Positioned {
  readonly position: number;
}

/** Two lists in the order of their positions as one. */
export function inOrder<One extends Positioned, Other extends Positioned>(
  ones: readonly One[],
  others: readonly Other[],
): (One | Other)[] {
  if (others.length === 0) return [...ones];
  const merged: (One | Other)[] = [];
  let next = 0;
  for (const one of ones) {
    for (let other = others[next]; other && other.position < one.position; other = others[next]) {
      merged.push(other);
      next += 1;
    }
    merged.push(one);
  }
  return [...merged, ...others.slice(next)];
}
