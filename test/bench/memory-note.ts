/*
 * Loaded into a server before it starts: on SIGUSR2 it collects all garbage and writes into the file that `BENCH_MEMORY`
 * names how many bytes the heap, what lies outside of it, and the process take.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;
const path = process.env['BENCH_MEMORY'];
process.on('SIGUSR2', () => {
  if (path === undefined) return;
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  writeFileSync(`${path}.new`, JSON.stringify({ heapUsed, external, rss }));
  renameSync(`${path}.new`, path);
});
