import { isDeepStrictEqual } from 'node:util';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { HubError } from '../../access/hub.errors.js';
import { TrustedIssuers } from '../../auth/tokens/trusted-issuers.js';
import { type Config, ConfigError, loadConfig } from '../../config/config.js';
import type { Environment } from '../../config/environment.js';
import { roomForSockets } from './descriptors.js';
import { fitStreams } from './fit.js';
import { CertificateReloader } from '../certificate.js';

/** What is reloaded, and from where. */
export interface Reloadable {
  readonly app: Pick<NestFastifyApplication, 'get'>;
  readonly env: Environment;
  /** What the service has started with. */
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * Reads the files again that the environment points to: keys, key sets, the issuers' file and the certificate. No stream is
 * touched but those whose key is gone. Where anything is wrong, all stays as it was, and the log says what.
 */
export async function reload({ app, env, config, logger }: Reloadable): Promise<void> {
  try {
    const loaded = loadConfig(env, undefined, config.memory, madeUpIn(config));
    const fresh = fitStreams(loaded, roomForSockets()).config;
    const { come, gone } = await app.get(TrustedIssuers, { strict: false }).replace(fresh.auth.issuers);
    app.get(CertificateReloader, { strict: false }).reload();
    logger.info({ msg: 'keys and certificates were read again', come, gone });
    const settings = differencesIn(config, fresh);
    if (settings.length === 0) return;
    logger.warn({ msg: 'other settings have changed in their files: they count from the next start on', settings });
  } catch (error) {
    const mistakes = mistakesOf(error);
    if (!mistakes) throw error;
    logger.error({ msg: 'the files could not be read again, and everything stays as it was', mistakes });
  }
}

/** The secrets that the service has made up for itself, which a reload must not make up anew. */
function madeUpIn({ auth: { madeUp, issuers } }: Config): Partial<Record<string, string>> {
  return Object.fromEntries(madeUp.map((role) => [role, issuers.at(-1)?.keys[role]?.key.export().toString()]));
}

function mistakesOf(error: unknown): readonly string[] | undefined {
  if (error instanceof ConfigError) return error.mistakes;
  return error instanceof HubError ? [error.message] : undefined;
}

/** What but the keys is another one now, as the configuration names it, such as `hub.journal`. */
function differencesIn(before: Config, after: Config): string[] {
  const others = settingsOf(after);
  return [...settingsOf(before)].flatMap(([name, value]) => (isDeepStrictEqual(value, others.get(name)) ? [] : [name]));
}

function settingsOf(config: Config): Map<string, unknown> {
  const settings = new Map<string, unknown>();
  for (const [name, part] of Object.entries(config) as [string, unknown][]) {
    if (typeof part !== 'object' || part === null) settings.set(name, part);
    else for (const [inner, value] of Object.entries(part)) settings.set(`${name}.${inner}`, value);
  }
  for (const name of ['auth.issuers', 'auth.weak']) settings.delete(name);
  return settings;
}
