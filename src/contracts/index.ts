/**
 * What an engine of the journal, or of the state that processes share, has to hold to, as suites for any test runner. Herald's
 * own engines are tested by these as well.
 */
export { describeJournal, type Engine } from './journal.js';
export { describePresence } from './presence.js';
export { describeTopics, type TopicEngine } from './topics.js';
export { describeState, type StateEngine } from './state.js';
export { GRACE } from './leases.js';
export type { Expect, Expectation, Matchers, Tools } from './tools.js';
