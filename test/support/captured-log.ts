export { CapturedLog, type LogFields } from '../../src/contracts/captured-log.js';
