import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** What a page loads of the client library, and what Herald's own page loads, gzipped. Run it after the build. */
const DIRECTORY = fileURLToPath(new URL('../dist/client/herald', import.meta.url));
const KB = 1024;
const CORE = 'client.js';
const BUDGETS = [
  { what: 'the core', entries: [CORE], limit: 5 * KB },
  // A tab that shares loads what it needs to catch up at once, for it may need it when nothing can be loaded.
  { what: 'sharing between tabs', entries: ['open-shared.js', 'catch-up.js'], limit: 3 * KB },
  { what: 'the worker file', entries: ['worker.js'], limit: KB },
  ...['rxjs.js', 'react.js', 'vue.js', 'eventsource.js', 'resume.js', 'iterate.js', 'publisher.js'].map((entry) => ({
    what: entry,
    entries: [entry],
    limit: KB,
  })),
];

/** A module and everything that it imports at once. */
function withImports(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const code = readFileSync(join(DIRECTORY, name), 'utf8');
  for (const [, path] of code.matchAll(/(?:from|import)\s*["'`](\.[^"'`]+)["'`]/g)) {
    withImports(join(dirname(name), path), found);
  }
  return found;
}

function sizeOf(name) {
  return gzipSync(readFileSync(join(DIRECTORY, name)), { level: 9 }).length;
}

const core = withImports(CORE);
for (const { what, entries, limit } of BUDGETS) {
  const files = new Set(entries.flatMap((name) => Array.from(withImports(name))));
  // Everybody has the core: it is counted once.
  if (!entries.includes(CORE)) for (const name of core) files.delete(name);
  const size = Array.from(files, sizeOf).reduce((sum, one) => sum + one, 0);
  if (size > limit) process.exitCode = 1;
  const verdict = size > limit ? 'TOO LARGE' : 'ok';
  process.stdout.write(`${what}: ${size} of ${limit} bytes (${[...files].join(', ')}): ${verdict}\n`);
}

/** Everything of the page, loaded at once or not. */
const ASSETS = join(DIRECTORY, '../assets');
const PAGE_LIMIT = 80 * KB;
const scripts = readdirSync(ASSETS).filter((name) => name.endsWith('.js'));
const page = scripts.reduce((sum, name) => sum + sizeOf(join('../assets', name)), 0);
if (page > PAGE_LIMIT) process.exitCode = 1;
process.stdout.write(`the page: ${page} of ${PAGE_LIMIT} bytes: ${page > PAGE_LIMIT ? 'TOO LARGE' : 'ok'}\n`);
