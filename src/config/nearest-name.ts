/** What nearly all names begin with, and what is easily put before the others: it says nothing of the rest. */
const PREFIX = /^HERALD_/;

/** The one of `names` that `name` was most likely meant to be; undefined if none comes near. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const text = name.replace(PREFIX, '');
  let nearest: string | undefined;
  // A third of the letters may be wrong.
  let least = Math.floor(text.length / 3) + 1;
  for (const known of names) {
    const distance = distanceOf(text, known.replace(PREFIX, ''));
    if (distance >= least) continue;
    least = distance;
    nearest = known;
  }
  return nearest;
}

/** How many letters have to be put in, taken out or changed to get from one text to the other (Levenshtein). */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of one.split('').entries()) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at += 1) {
      const change = (row[at] ?? 0) + (letter === other[at] ? 0 : 1);
      next.push(Math.min(change, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
