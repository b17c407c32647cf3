/**
 * Leaves out as many items as it can while `fails` still holds: halves first, then less and less, down to single ones.
 * @param deadline by `performance.now()`, after which it tries nothing more.
 */
export async function shrink<Item>(
  items: readonly Item[],
  fails: (some: readonly Item[]) => Promise<boolean>,
  deadline: number,
): Promise<readonly Item[]> {
  let kept = items;
  for (let size = Math.ceil(items.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = kept.length; end > 0 && performance.now() < deadline; end -= size) {
      const some = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)];
      if (await fails(some)) kept = some;
    }
  }
  return kept;
}
