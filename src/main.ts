import { logEarlyFailures } from './app/process/early-failure.js';

const stop = logEarlyFailures();
// Loaded only now, so that what is wrong with any of its modules is told as a line of the log as well.
const { run } = await import('./app/run.js');
stop();
await run();
