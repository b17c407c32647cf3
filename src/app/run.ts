import process from 'node:process';
import { createLogger } from './logging/logger.js';
import { logForeignOutput } from './logging/foreign-output.js';
import { HangUp } from './process/hang-up.js';
import { OrderlyEnd } from './process/orderly-end.js';
import { onEndOfNpm } from './process/npm.js';
import { beginYoung } from './process/young-objects.js';

/** Runs the service in this process, which ends when the service does. */
export async function run(): Promise<void> {
  beginYoung();
  const isTerminal = process.stdout.isTTY;
  const logger = createLogger({ level: 'info', pretty: isTerminal });
  logForeignOutput(logger);
  const end = new OrderlyEnd(logger);
  const hangUp = new HangUp(logger, end);
  onEndOfNpm(() => {
    logger.info('npm, which has started the service, is gone');
    end.begin(0);
  });
  // Loaded only now, so that a signal during the loading already has a handler.
  const { serve } = await import('./serve.js');
  await serve({ env: process.env, logger, end, hangUp, isTerminal });
}
