import { availableParallelism } from 'node:os';
import process from 'node:process';

/**
 * What stands around the service, and takes long: proxies, deployments, operators' tools, clients of others, and what teams
 * have on all of their routes.
 * `npm run test:world -- around` runs it, and so does any call with HERALD_AROUND=on.
 */
const AROUND = [
  '/test/(?:proxies|deploy|clients|operators)/',
  '/test/browser/(?:proxies|native-event-source)[.]spec[.]ts$',
  '/test/faults/rolling-restart[.]spec[.]ts$',
  '/test/e2e/team-hosts[.]spec[.]ts$',
];

/** What has packages installed or unpacked in new folders: `npm run test:world -- packages`, and any call with HERALD_INSTALL=on. */
const INSTALLED = ['/test/packages/(?:installed/|unpacked)'];

/** Source and tests are compiled by swc with the decorator metadata that Nest's injector reads. */
const common = {
  testEnvironment: 'node',
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.HERALD_AROUND === 'on' ? [] : AROUND),
    ...(process.env.HERALD_INSTALL === 'on' ? [] : INSTALLED),
  ],
  // What the benchmark builds of another commit is a project of the same name.
  modulePathIgnorePatterns: ['<rootDir>/dist/against/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // The folder of the package `herald-nest`, for suites to run on that.
  ...(process.env.HERALD_NEST && { resolver: '<rootDir>/test/packages/resolver.js' }),
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
          target: 'es2022',
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** @type {import('jest').Config} */
export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/src/**/*.spec.ts',
        '<rootDir>/client/{src,lib,console}/**/*.spec.ts',
        '<rootDir>/test/bench/**/*.spec.ts',
      ],
    },
    {
      ...common,
      displayName: 'e2e',
      testMatch: [
        '<rootDir>/test/{e2e,hub,journal,protocol,state,fuzz,upgrade,client-library,docs,operators,proxies,soak,deploy,packages}/**/*.spec.ts',
        '<rootDir>/test/clients/*.spec.ts',
      ],
    },
    { ...common, displayName: 'faults', testMatch: ['<rootDir>/test/faults/**/*.spec.ts'] },
    { ...common, displayName: 'browser', testMatch: ['<rootDir>/test/{browser,clients/browser}/**/*.spec.ts'] },
  ],
  reporters: ['default', '<rootDir>/test/support/skipped-suites-reporter.js'],
  testTimeout: 30_000,
  testSequencer: '<rootDir>/test/support/longest-first.js',
  // A worker keeps something of every suite that it has run, and each full collection would take longer than the last.
  workerIdleMemoryLimit: '512MB',
  // Suites wait now and then: one more than there are cores makes use of that.
  maxWorkers: availableParallelism() + 1,
};
