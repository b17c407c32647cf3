import { cpus, release, totalmem, type } from 'node:os';
import { LOAD_CORE, SERVER_CORE, canPin } from './processes.js';

/** Where the figures come from, as lines for the head of the report. */
export function describeMachine(): string[] {
  const processors = cpus();
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  return [
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${gibibytes} GiB, ${type()} ${release()}, ${process.arch}`,
    canPin
      ? `server on core ${SERVER_CORE}, load generator on core ${LOAD_CORE}, over the loopback interface`
      : '**not pinned to cores (taskset is missing): figures vary more than they should**',
  ];
}

/** Why the benchmark cannot run here at all, or nothing. */
export function unfitMachine(): string | undefined {
  if (process.platform !== 'linux') return 'the benchmark reads /proc: it runs on Linux only';
  return cpus().length < 2 ? 'the benchmark needs two cores: one for the server, one for the load' : undefined;
}
