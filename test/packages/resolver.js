import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import process from 'node:process';

/*
 * Where HERALD_NEST names a folder, whatever suites import of `src` comes from the package in it, so that they test what is
 * published and not what it is made of. Jest asks this for each import.
 */

const SOURCE = join(import.meta.dirname, '../../src') + sep;
const PACKAGE = resolve(process.env.HERALD_NEST);

const { exports: entries } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
const ENTRIES = new Set(Object.values(entries).map(({ default: path }) => join(PACKAGE, path ?? '')));

/**
 * @throws where the package lacks the file, or has an index that is none of its entry points. All that Jest says of it is that
 * it could not locate the module.
 */
export default function resolveImport(request, options) {
  const path = request.startsWith('.') ? resolve(options.basedir, request) : '';
  if (!path.startsWith(SOURCE)) return options.defaultResolver(request, options);
  const file = join(PACKAGE, 'lib', `${path.slice(SOURCE.length)}.js`);
  if (!existsSync(file)) throw new Error(`The package lacks ${file}.`);
  if (basename(file) === 'index.js' && !ENTRIES.has(file)) throw new Error(`${file} is no entry point of the package.`);
  return file;
}
