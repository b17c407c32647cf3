/*
 * Loaded into a server before it starts: appends to the file that `BENCH_TURNS` names, ten times a second, when it is and
 * how many milliseconds the event loop was late at most since the line before.
 */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const path = process.env['BENCH_TURNS'];
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
if (path !== undefined) {
  setInterval(() => {
    appendFileSync(path, `${Date.now()} ${delay.max / 1e6}\n`);
    delay.reset();
  }, 100).unref();
}
