/** How often a header comes in a request, by its name in lower case. Node keeps only one of several. */
export function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = rawHeaders[index];
    // Each request comes by here: the length is compared first, because most names have another one.
    if (given?.length === name.length && given.toLowerCase() === name) count += 1;
  }
  return count;
}
