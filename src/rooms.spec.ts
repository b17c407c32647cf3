import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

/** Files that a reader can take in at a glance; tests, which lie beside what they test, are not counted. */
const DOZEN = 12;

it('has at most a dozen files in each folder', () => {
  const root = fileURLToPath(new URL('.', import.meta.url));
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'),
  );
  const counts = new Map<string, number>();
  for (const { parentPath } of files) counts.set(parentPath, (counts.get(parentPath) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > DOZEN)).toEqual([]);
  expect(counts.size).toBeGreaterThan(20);
});
