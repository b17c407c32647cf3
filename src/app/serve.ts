import process from 'node:process';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { firstSteps } from './developer/first-steps.js';
import { createApp } from './create-app.js';
import { adviceFor } from '../config/advice.js';
import { loadConfig } from '../config/config.js';
import type { Environment } from '../config/environment.js';
import { roomForSockets } from './process/descriptors.js';
import { fitStreams } from './process/fit.js';
import { GracefulEnd } from '../herald/graceful-end/index.js';
import type { HangUp } from './process/hang-up.js';
import type { Closable, OrderlyEnd } from './process/orderly-end.js';
import { reload } from './process/reload.js';
import { InternalListener } from './internal/internal-listener.js';
import { tellStart } from './logging/first-line.js';
import { tellStartFailure } from './process/start-failure.js';

/**
 * Connections that may wait to be accepted; the kernel may allow fewer (`net.core.somaxconn`). With Node's own 511,
 * some of 1,000 readers that came back at once were not answered, and tried again a whole second later.
 */
const BACKLOG = 4_096;

export interface Surroundings {
  readonly env: Environment;
  readonly logger: Logger;
  readonly end: OrderlyEnd;
  readonly hangUp: HangUp;
  /** Whether standard output is a terminal, which a person reads. */
  readonly isTerminal: boolean;
}

/** Starts the service. Where that fails, says why, and ends the process. */
export async function serve(surroundings: Surroundings): Promise<void> {
  const { logger, end, isTerminal } = surroundings;
  try {
    await start(surroundings);
  } catch (error) {
    // A failure after the end has begun is a consequence of the end, and not worth a report.
    if (!end.signal.aborted) end.begin(tellStartFailure(error, logger, { isTerminal }));
  }
}

async function start({ env, logger, end, hangUp }: Surroundings): Promise<void> {
  const { config, warnings } = fitStreams(loadConfig(env), roomForSockets());
  logger.level = config.logLevel;
  tellStart(logger, config);
  for (const warning of [...config.memory.warnings, ...warnings]) logger.warn(warning);
  for (const role of config.auth.weak) {
    logger.warn(`The ${role}s' secret is so short that tokens can be forged: see HERALD_WEAK_SECRETS in the README`);
  }
  for (const { level, message } of adviceFor(config)) logger[level](message);
  const { app } = await end.open(async (signal) => closable(await createApp(config, logger, signal)));
  const { delay, window } = config.streams.drain;
  end.allow(delay + window);
  await app.init();
  end.signal.throwIfAborted();
  await app.get(InternalListener).open();
  // Fastify's own `listen`, because Nest's would log a failure that `serve` reports too.
  const address = await app
    .getHttpAdapter()
    .getInstance()
    .listen({ port: config.server.port, host: config.server.host, backlog: BACKLOG });
  end.signal.throwIfAborted();
  hangUp.use(() => reload({ app, env, config, logger }));
  const url = shownUrl(address);
  logger.info(`Herald is at ${url}`);
  // Whoever reads the output may leave before the end of it, such as `head`, and the service goes on without them.
  process.stdout.on('error', () => undefined);
  // Bypasses the log, which must not hold tokens.
  process.stdout.write((await firstSteps(config, url)) ?? '');
}

/** The application, as the end of the process goes about it. */
function closable(app: NestFastifyApplication): Closable & { readonly app: NestFastifyApplication } {
  const end = app.get(GracefulEnd);
  return { app, leave: () => end.leave(), hurry: () => end.hurry(), close: () => app.close() };
}

/** A loopback address is shown by the name that people type. */
function shownUrl(address: string): string {
  return address.replace(/(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?=:\d+$)/, 'localhost');
}
