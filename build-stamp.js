/*
 * Says whether anything has changed since the last build, so that `npm start` need not build again: `node build-stamp.js`
 * ends with 0 where nothing has, and `node build-stamp.js --write` remembers what was built.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const ROOT = import.meta.dirname;
/** A new build begins by deleting its folder, so a build that was broken off leaves no stamp. */
const STAMP = join(ROOT, 'dist/server/build-stamp');
const FOLDERS = ['src', 'client', 'docs/packages'];
const SETTINGS = /^(?:package(?:-lock)?|nest-cli|tsconfig.*)\.json$|^vite.*\.ts$|^build-.*\.js$/;

const files = [
  ...readdirSync(ROOT).filter((name) => SETTINGS.test(name)),
  ...FOLDERS.filter((folder) => existsSync(join(ROOT, folder))).flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  ),
].toSorted();

const hash = createHash('sha256').update(process.version);
for (const file of files) {
  const content = readFileSync(join(ROOT, file));
  hash.update(`${file}\0${content.length}\0`).update(content);
}
const stamp = hash.digest('hex');

if (process.argv.includes('--write')) writeFileSync(STAMP, stamp);
else process.exitCode = readStamp() === stamp ? 0 : 1;

function readStamp() {
  try {
    return readFileSync(STAMP, 'utf8');
  } catch {
    return '';
  }
}
