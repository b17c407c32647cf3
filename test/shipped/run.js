/*
 * Lists the licences of all that is shipped, and refuses those that are not known to ask for no more than a mention:
 * `npm run licences`, after the build. Packages that are installed beside the service are in the lock file, those that
 * are part of the bundles in the `license.md` that the build has written.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

const PERMISSIVE = new Set(['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);

/** Packages that do not say it in the lock file: these are parts of `msgpackr-extract`, one for each platform. */
const UNSAID = new Map([['@msgpackr-extract', 'MIT']]);
const ROOT = new URL('../../', import.meta.url);

const read = (path) => readFileSync(new URL(path, ROOT), 'utf8');

function installed() {
  const { packages } = JSON.parse(read('package-lock.json'));
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path, { version, license }]) => {
      const name = path.split('node_modules/').at(-1);
      return { name: `${name} ${version}`, license: license ?? UNSAID.get(name.split('/', 1)[0]) ?? 'unknown' };
    });
}

function bundled(path) {
  const found = [...read(path).matchAll(/^## (\S+) - (\S+) \((.*)\)$/gm)];
  return found.map(([, name, version, license]) => ({ name: `${name} ${version}`, license }));
}

const parts = [installed(), bundled('dist/client/license.md'), bundled('dist/server/license.md')];
if (parts.some((part) => part.length === 0)) throw new Error('a list of packages is empty: has everything been built?');
const all = new Map(parts.flat().map(({ name, license }) => [name, license]));
for (const licence of new Set(all.values())) {
  const names = [...all].filter(([, one]) => one === licence).map(([name]) => name);
  process.stdout.write(`${licence}: ${names.toSorted().join(', ')}\n`);
  if (PERMISSIVE.has(licence)) continue;
  process.stdout.write(`${licence} is not among the licences that are known to be permissive\n`);
  process.exitCode = 1;
}
