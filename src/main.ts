import { constants } from 'node:os';
import process from 'node:process';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { firstSteps } from './auth/first-steps.js';
import { createApp } from './bootstrap.js';
import { ConfigError, loadConfig } from './config/config.js';
import { JournalOpenError, JournalUnavailableError } from './journal/journal.js';
import { createLogger } from './operations/logger.js';

/** Exit status for a bad configuration, or a journal that can't be opened: `EX_CONFIG` of sysexits.h. */
const BAD_CONFIG = 78;

/**
 * Milliseconds within which a second signal is the same one: at a terminal, Ctrl-C reaches this process directly and
 * once more through npm.
 */
const SAME_SIGNAL = 100;

/**
 * Connections that may wait to be accepted; the kernel may allow fewer (`net.core.somaxconn`). With Node's own 511, some
 * of 1,000 readers that come back at once were not answered, and tried again a whole second later.
 */
const BACKLOG = 4_096;

try {
  const config = loadConfig(process.env);
  const logger = createLogger({ level: config.logLevel, pretty: process.stdout.isTTY });
  const app = await createApp(config, logger);
  stopOnSignals(app);
  await app.init();
  // Fastify's own: Nest's `listen` would log a failure as well, and what can't be helped is said once, below.
  const address = await app
    .getHttpAdapter()
    .getInstance()
    .listen({ port: config.server.port, host: config.server.host, backlog: BACKLOG });
  const url = shownUrl(address);
  logger.info(`Herald is at ${url}`);
  // Past the log, where a token has no place.
  process.stdout.write((await firstSteps(config, url)) ?? '');
} catch (error) {
  fail(error);
}

function stopOnSignals(app: NestFastifyApplication): void {
  let stopping: number | undefined;
  const stop = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (stopping !== undefined) {
      if (performance.now() - stopping > SAME_SIGNAL) process.exit(128 + constants.signals[signal]);
      return;
    }
    stopping = performance.now();
    app.close().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

/** A loopback address is shown by the name that people type. */
function shownUrl(address: string): string {
  return address.replace(/(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?=:\d+$)/, 'localhost');
}

function fail(error: unknown): never {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(isMistake(error) ? BAD_CONFIG : 1);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `${error.message}: another program uses this port. Stop it, or set PORT to a free one.`;
  if (code === 'EACCES') return `${error.message}: this port needs privileges. Set PORT to one above 1023.`;
  if (error instanceof JournalUnavailableError) return error.message;
  return isMistake(error) ? error.message : (error.stack ?? error.message);
}

/** Whether it is the operator's to mend, and the message says how. */
function isMistake(error: unknown): error is ConfigError | JournalOpenError {
  return error instanceof ConfigError || error instanceof JournalOpenError;
}
