/*
 * Makes the reference of what the packages export, in `dist/reference`, from their declarations as they are published. It
 * fails where something that is exported takes or gives what is not, and where a link leads nowhere.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { Application } from 'typedoc';

const ROOT = import.meta.dirname;
const PACKAGES = ['herald-nest', 'herald-hub-client'];

/** The name by which each entry point is imported, by the file that has its types. */
const entries = new Map(PACKAGES.flatMap(entriesOf));

const app = await Application.bootstrap({
  name: 'Herald',
  readme: 'none',
  entryPoints: [...entries.keys()],
  tsconfig: join(ROOT, 'tsconfig.reference.json'),
  out: join(ROOT, 'dist/reference'),
  logLevel: 'Warn',
  // The declarations are not what anybody reads.
  disableSources: true,
  disableGit: true,
  excludePrivate: true,
  excludeInternal: true,
  excludeExternals: true,
  includeVersion: true,
  validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: false },
});

const points = app.getEntryPoints();
for (const point of points) point.displayName = entries.get(point.sourceFile.fileName);
const project = app.converter.convert(points);
for (const name of PACKAGES) {
  // What another package declares is looked for in the reference of that one.
  project.packageName = name;
  app.validate(project);
}
await app.generateDocs(project, app.options.getValue('out'));
const { errorCount, warningCount, validationWarningCount } = app.logger;
process.exitCode = errorCount + warningCount + validationWarningCount === 0 ? 0 : 1;

function entriesOf(name) {
  const folder = join(ROOT, 'dist/packages', name);
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([path, { types }]) =>
    types === undefined ? [] : [[join(folder, types), name + path.slice(1)]],
  );
}
