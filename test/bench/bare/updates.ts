const TOPICS = 2_000;
const DATA = 'x'.repeat(100);

/** An update as a store has it. */
export function updateOf(position: number): { readonly id: string; readonly key: string; readonly text: string } {
  const id = `urn:uuid:123e4567-e89b-12d3-a456-${String(position).padStart(12, '0')}`;
  const topics = [`https://bench.example/${position % TOPICS}`];
  return { id, key: `round-0-${position}`, text: JSON.stringify({ topics, data: DATA, id, private: false }) };
}

/** Appends once to compile the code and once to measure, and writes the microseconds of CPU for an update. */
export async function costOfAppends(updates: number, append: (count: number) => Promise<void>): Promise<void> {
  await append(updates / 2);
  const before = process.cpuUsage();
  await append(updates);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(String((user + system) / updates));
}

/** What a program wrote that used `costOfAppends`. */
export function costIn(output: string): number {
  const cost = Number(output);
  if (!(cost > 0)) throw new Error('the program has told no cost');
  return cost;
}
