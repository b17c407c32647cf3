import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** Checks how large the client library's entry points and Herald's own page are, gzipped. Run it after the build. */
const DIRECTORY = fileURLToPath(new URL('../dist/client/herald', import.meta.url));
const KB = 1024;
const CORE = 'client.js';
const BUDGETS = [
  { what: 'the core', entries: [CORE], limit: 9 * KB },
  { what: 'tokens', entries: ['tokens.js'], limit: 1.25 * KB },
  { what: 'what reads a refusal', entries: ['refusal.js'], limit: 1.25 * KB },
  // `catch-up.js` is loaded together with sharing, because a tab may have to catch up when nothing can be loaded.
  { what: 'sharing between tabs', entries: ['open-shared.js', 'catch-up.js'], limit: 5.5 * KB },
  { what: 'streams.js', entries: ['streams.js'], limit: 1.75 * KB },
  { what: 'resume.js', entries: ['resume.js'], limit: 1.5 * KB },
  { what: 'the worker file', entries: ['worker.js'], limit: KB },
  ...['rxjs.js', 'eventsource.js', 'iterate.js'].map((entry) => ({
    what: entry,
    entries: [entry],
    limit: KB,
  })),
  ...['batch.js', 'history.js', 'presence.js'].map((entry) => ({ what: entry, entries: [entry], limit: 3 * KB })),
  ...['publisher.js', 'react.js', 'vue.js'].map((entry) => ({
    what: entry,
    entries: [entry],
    limit: 2 * KB,
  })),
];

/** The names of a module and of all that it imports statically. */
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
  // Every page loads the core, so it is counted only once.
  if (!entries.includes(CORE)) for (const name of core) files.delete(name);
  const size = Array.from(files, sizeOf).reduce((sum, one) => sum + one, 0);
  if (size > limit) process.exitCode = 1;
  const verdict = size > limit ? 'TOO LARGE' : 'ok';
  process.stdout.write(`${what}: ${size} of ${limit} bytes (${[...files].join(', ')}): ${verdict}\n`);
}

/** All scripts of the page, also those that are loaded later. */
const ASSETS = join(DIRECTORY, '../assets');
const PAGE_LIMIT = 110 * KB;
const scripts = readdirSync(ASSETS).filter((name) => name.endsWith('.js'));
const page = scripts.reduce((sum, name) => sum + sizeOf(join('../assets', name)), 0);
if (page > PAGE_LIMIT) process.exitCode = 1;
process.stdout.write(`the page: ${page} of ${PAGE_LIMIT} bytes: ${page > PAGE_LIMIT ? 'TOO LARGE' : 'ok'}\n`);
