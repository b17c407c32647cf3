import process from 'node:process';
import { createLogger } from './app/logging/logger.js';
import { logForeignOutput } from './app/logging/foreign-output.js';
import { HangUp } from './app/process/hang-up.js';
import { OrderlyEnd } from './app/process/orderly-end.js';
import { onEndOfNpm } from './app/process/npm.js';

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
const { serve } = await import('./app/serve.js');
await serve({ env: process.env, logger, end, hangUp, isTerminal });
