import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { StandardOutput } from './standard-output.js';

export interface LoggerOptions {
  readonly level: string;
  /** For a person at a terminal, rather than JSON lines for a program. */
  readonly pretty: boolean;
}

/** The process's log: JSON lines on standard output, or text on a terminal. */
export function createLogger({ level, pretty }: LoggerOptions): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!pretty) return pino(options, new StandardOutput());
  // Whoever is at the terminal has made the settings, which would be most of what they see.
  const ignore = 'context,version,settings';
  const terminal: DestinationStream = PinoPretty({ ignore, translateTime: 'SYS:HH:MM:ss.l', sync: true });
  return pino(options, terminal);
}

/** Nest's contexts that log every step of the start, which is of interest only while debugging. */
const START_UP = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Nest's own logging interface over pino. An object as the message becomes the fields of the line. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(START_UP.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    // Nest logs an error of the start and throws it as well: `tellStartFailure` reports it, and once is enough.
    this.write(rest.at(-1) === 'ExceptionHandler' ? 'debug' : 'error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /** Nest passes the context last, and an error's stack before it. */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    // Each stream tells of itself at `debug`.
    if (!this.logger.isLevelEnabled(level)) return;
    const context = rest.at(-1);
    const stack = rest.length > 1 ? rest[0] : undefined;
    if (message instanceof Error) this.logger[level]({ context, err: message });
    else if (typeof message === 'object' && message !== null) this.logger[level]({ context, ...message });
    else this.logger[level]({ context, ...(typeof stack === 'string' && { stack }) }, String(message));
  }
}
