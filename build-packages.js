/*
 * Makes the packages that are published, from what has been built: each a folder in `dist/packages` that is ready for
 * `npm publish`, with what its entry points import and nothing else. A package that would import something that it does
 * not ask for is not made.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = import.meta.dirname;
const SERVER = join(ROOT, 'dist/server');
const CLIENT = join(ROOT, 'dist/client');
const CLIENT_TYPES = join(ROOT, 'dist/client-types');
const PACKAGES = join(ROOT, 'dist/packages');

const { version, license, engines, repository, dependencies } = readJson(join(ROOT, 'package.json'));

/** Folders of `src` that are entry points of `herald-nest` besides the module itself, where they exist. */
const NEST_ENTRIES = {
  './administration': 'herald/administration',
  './contracts': 'contracts',
  './cqrs': 'herald/cqrs',
  './event-emitter': 'herald/event-emitter',
  './files': 'herald/files',
  './graceful-end': 'herald/graceful-end',
  './health': 'herald/health',
  './metrics': 'herald/metrics',
  './request-log': 'herald/request-log',
  './terminus': 'herald/terminus',
  './testing': 'herald/testing',
};

/** What `test/packages` tries both ends of. Nest 12.0.0 asks for Nest 11. */
const NEST = '^11.2.1 || ^12.0.1';

/** What an application that imports the module has itself, so that there is one of each. */
const NEST_PEERS = {
  '@nestjs/common': NEST,
  '@nestjs/core': NEST,
  'reflect-metadata': '^0.2.0',
  rxjs: '^7.8.0',
};

/** What it has where it uses it. */
const NEST_OPTIONAL_PEERS = {
  '@nestjs/cqrs': '^11.0.0 || ^12.0.0',
  '@nestjs/event-emitter': '^3.0.0 || ^12.0.0',
  '@nestjs/platform-express': NEST,
  '@nestjs/platform-fastify': NEST,
  '@nestjs/terminus': '^11.0.0 || ^12.0.0',
  '@nestjs/testing': NEST,
  express: '^5.0.0',
  fastify: '^5.0.0',
  ioredis: '^6.0.0',
  // What the contract suites are given by whoever runs them.
  'fast-check': '^4.0.0',
  lmdb: '^3.5.0',
  'prom-client': '^15.1.0',
};

/** The client library's entry points: the built script, and where its types are. */
const CLIENT_ENTRIES = {
  '.': ['client', 'index'],
  './eventsource': ['eventsource', 'event-source'],
  './resume': ['resume', 'resume'],
  './rxjs': ['rxjs', 'adapters/rxjs'],
  './react': ['react', 'adapters/react'],
  './vue': ['vue', 'adapters/vue'],
  './worker': ['worker', 'share/worker'],
};

/** What the bundled programs look for and go on without: parts of Nest for other applications, and pages for development. */
const NOT_MISSED = ['@nestjs/swagger', 'express', 'swagger-ui-dist'];

const CLIENT_OPTIONAL_PEERS = { react: '>=18', rxjs: '^7.8.0', vue: '>=3.3' };

rmSync(PACKAGES, { recursive: true, force: true });
makeClient();
makeNest();
makeHub();

/** The library for browsers, and the publisher for Node. */
function makeClient() {
  const name = 'herald-hub-client';
  const publisher = join(SERVER, 'publisher/index');
  const scripts = reach(Object.values(CLIENT_ENTRIES).map(([script]) => join(CLIENT, `herald/${script}.js`)));
  const types = reach(Object.values(CLIENT_ENTRIES).map(([, type]) => join(CLIENT_TYPES, `${type}.d.ts`)));
  const node = reach([`${publisher}.js`, `${publisher}.d.ts`]);
  copy(name, scripts.files, join(CLIENT, 'herald'), 'browser');
  copy(name, types.files, CLIENT_TYPES, 'types');
  copy(name, node.files, SERVER, 'node');
  describe(name, {
    description:
      'The client library of Herald, a push hub for the web: for browsers and Node.js, with React, Vue and RxJS.',
    sideEffects: ['./browser/worker.js'],
    exports: {
      ...Object.fromEntries(
        Object.entries(CLIENT_ENTRIES).map(([path, [script, type]]) => [
          path,
          { types: `./types/${type}.d.ts`, default: `./browser/${script}.js` },
        ]),
      ),
      './publisher': { types: './node/publisher/index.d.ts', default: './node/publisher/index.js' },
    },
    ...needs(name, [scripts, types, node], {}, CLIENT_OPTIONAL_PEERS),
  });
}

/** The hub as a module of a Nest application. */
function makeNest() {
  const name = 'herald-nest';
  const folders = Object.entries({ '.': 'herald', ...NEST_ENTRIES }).filter(([, folder]) =>
    existsSync(join(SERVER, folder, 'index.js')),
  );
  const entries = folders.flatMap(([, folder]) => ['js', 'd.ts'].map((type) => join(SERVER, folder, `index.${type}`)));
  const reached = reach(entries);
  copy(name, [...reached.files, ...luaBeside(reached.files)], SERVER, 'lib');
  // Without source maps, which `herald-hub-client` has.
  cpSync(CLIENT, join(PACKAGES, name, 'client'), { recursive: true, filter: (path) => !path.endsWith('.map') });
  describe(name, {
    description: 'Herald, a push hub for the web, as a module of a Nest application.',
    // What the code finds by a name of its own, because it lies at another place in the checkout.
    imports: { '#package.json': './package.json', '#client/*': './client/*' },
    exports: Object.fromEntries(
      folders.map(([path, folder]) => [
        path,
        { types: `./lib/${folder}/index.d.ts`, default: `./lib/${folder}/index.js` },
      ]),
    ),
    ...needs(name, [reached], NEST_PEERS, NEST_OPTIONAL_PEERS),
  });
}

/** The service and its command line, as they were bundled. */
function makeHub() {
  const name = 'herald-hub';
  const folder = join(PACKAGES, name);
  const reached = reach(['main', 'cli', 'healthcheck', 'start'].map((program) => join(SERVER, `${program}.js`)));
  const files = [...reached.files, ...luaIn(SERVER), join(SERVER, 'license.md')];
  copy(name, files, SERVER, 'server', { hasSources: false });
  for (const program of ['cli', 'start']) chmodSync(join(folder, `server/${program}.js`), 0o755);
  // The page and the client library, which the service gives to browsers.
  cpSync(CLIENT, join(folder, 'client'), { recursive: true });
  copyFileSync(join(ROOT, 'dist/sbom.json'), join(folder, 'sbom.json'));
  describe(name, {
    description:
      'Herald, a push hub for the web: publish over HTTP, receive over Server-Sent Events, miss nothing while away.',
    bin: { herald: './server/cli.js', [name]: './server/start.js' },
    imports: { '#package.json': './package.json' },
    exports: {},
    ...needs(name, [reached], {}, {}, NOT_MISSED),
  });
}

/** The files that some files import, directly or not, with themselves, and the packages that all of them import. */
function reach(entries) {
  const files = new Set(entries);
  const packages = new Set();
  // What is added meanwhile is gone through as well.
  for (const file of files) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) files.add(besides(file, specifier));
      else if (!isBuiltin(specifier) && !specifier.startsWith('#')) packages.add(packageOf(specifier));
    }
  }
  return { files, packages };
}

/** What a module or a declaration file imports, whichever way. */
function importsOf(file) {
  const found = [];
  const look = (node) => {
    const specifier = specifierOf(node);
    if (specifier && ts.isStringLiteralLike(specifier)) found.push(specifier.text);
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return found;
}

function specifierOf(node) {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return node.argument.literal;
  const isCall = ts.isCallExpression(node) && (isImport(node.expression) || isRequire(node.expression));
  return isCall ? node.arguments[0] : undefined;
}

function isImport(expression) {
  return expression.kind === ts.SyntaxKind.ImportKeyword;
}

/** `__require` and `require$1` are what the bundler makes of it. */
function isRequire(expression) {
  return ts.isIdentifier(expression) && /^(?:__)?require(?:\$\d+)?$/.test(expression.text);
}

/** The file that another one imports. */
function besides(file, specifier) {
  const path = resolve(dirname(file), specifier);
  return file.endsWith('.d.ts') ? path.replace(/\.js$/, '.d.ts') : path;
}

function packageOf(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function luaIn(folder) {
  const names = readdirSync(folder, { recursive: true });
  return names.filter((name) => name.endsWith('.lua')).map((name) => join(folder, name));
}

/** The scripts that some modules send to Redis: they lie in a folder beside their module. */
function luaBeside(files) {
  const folders = new Set(Array.from(files, (file) => join(dirname(file), 'lua')));
  return luaIn(SERVER).filter((path) => folders.has(dirname(path)));
}

/** Copies files, with their source maps, from below `from` into a folder of a package. */
function copy(name, files, from, folder, { hasSources = true } = {}) {
  for (const file of files) {
    const target = join(PACKAGES, name, folder, relative(from, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
    if (!existsSync(`${file}.map`)) continue;
    const map = standalone(`${file}.map`, `${target}.map`, { root: join(PACKAGES, name), hasSources });
    writeFileSync(`${target}.map`, JSON.stringify(map));
    nameMap(target);
  }
}

/** A source map that names no file outside its package, and has the sources themselves. */
function standalone(path, target, { root, hasSources }) {
  const { sourceRoot = '', ...map } = readJson(path);
  const sources = map.sources.map((source) => resolve(dirname(path), sourceRoot, source));
  return {
    ...map,
    sources: sources.map((source) => relative(dirname(target), join(root, relative(ROOT, source)))),
    // What is undefined is left out.
    sourcesContent: hasSources ? sources.map((source) => readFileSync(source, 'utf8')) : undefined,
  };
}

/** The client library is built without a word of its source maps. */
function nameMap(target) {
  const code = readFileSync(target, 'utf8');
  const name = target.slice(dirname(target).length + 1);
  if (!code.includes('\n//# sourceMappingURL=')) writeFileSync(target, `${code}\n//# sourceMappingURL=${name}.map\n`);
}

/**
 * What a package asks for: packages that it imports, in the versions that are tested here, and those that whoever installs
 * it has.
 * @throws where it imports another one.
 */
function needs(name, reached, peers, optionalPeers, notMissed = []) {
  const imported = new Set(reached.flatMap(({ packages }) => [...packages]));
  const mayBeMissing = Object.entries(optionalPeers).filter(
    // An application runs on one of these also where nothing of it is imported.
    ([peer]) => imported.has(peer) || peer.startsWith('@nestjs/platform-'),
  );
  const allPeers = { ...peers, ...Object.fromEntries(mayBeMissing) };
  const own = Array.from(imported, String)
    .filter((one) => !(one in allPeers) && !notMissed.includes(one))
    .toSorted();
  const unknown = own.filter((one) => !(one in dependencies));
  if (unknown.length > 0) throw new Error(`${name} imports what it does not ask for: ${unknown.join(', ')}`);
  return {
    dependencies: Object.fromEntries(own.map((one) => [one, dependencies[one]])),
    peerDependencies: allPeers,
    peerDependenciesMeta: Object.fromEntries(mayBeMissing.map(([peer]) => [peer, { optional: true }])),
  };
}

/** Writes what a package says of itself: its manifest, README and licence. */
function describe(name, { description, exports, ...more }) {
  const folder = join(PACKAGES, name);
  const manifest = {
    name,
    version,
    description,
    keywords: ['sse', 'server-sent-events', 'mercure', 'push', 'real-time'],
    license,
    repository,
    type: 'module',
    exports: { ...exports, './package.json': './package.json' },
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => Object.keys(value).length > 0)),
    engines,
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(ROOT, 'docs/packages', `${name}.md`), join(folder, 'README.md'));
  copyFileSync(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
