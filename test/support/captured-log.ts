export { CapturedLog } from '../../src/contracts/captured-log.js';
