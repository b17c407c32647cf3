import { fileURLToPath } from 'node:url';
import everyday from '../../jest.config.js';

const [unit] = everyday.projects;
const rootDir = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Suites that need what is fetched while they run. `npm test` leaves them alone.
 *
 * @type {import('jest').Config}
 */
export default {
  ...everyday,
  rootDir,
  projects: [{ ...unit, rootDir, displayName: 'world', testMatch: ['<rootDir>/test/world/**/*.spec.ts'] }],
  testTimeout: 90_000,
  verbose: true,
};
