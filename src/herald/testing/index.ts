/** `herald-nest/testing`: a hub for unit tests. */
export { HeraldTestingModule, type HeraldTestingOptions } from './testing.module.js';
export { TestHub, type TestMatcher, testHubToken, type TestUpdate } from './test-hub.js';
export type { TestReader } from './test-reader.js';
