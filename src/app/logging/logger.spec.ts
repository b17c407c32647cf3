import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { NestLogger } from './logger.js';

function logged(write: (logger: NestLogger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  const sink = pino(
    { level: 'trace', base: null, timestamp: false },
    { write: (line: string) => void lines.push(line) },
  );
  write(new NestLogger(sink));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('NestLogger', () => {
  it("keeps Nest's levels apart", () => {
    const lines = logged((logger) => {
      for (const level of ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'] as const) logger[level]('x', 'Place');
    });
    expect(lines.map(({ level }) => level)).toEqual([60, 50, 40, 30, 20, 10]);
    for (const line of lines) expect(line).toMatchObject({ context: 'Place', msg: 'x' });
  });

  it('takes an object as the fields of the line', () => {
    expect(logged((logger) => logger.debug({ msg: 'stream closed', age: 5 }, 'Stream'))).toEqual([
      { level: 20, context: 'Stream', msg: 'stream closed', age: 5 },
    ]);
  });

  it('writes errors with their stack, given as themselves or as text', () => {
    const [asError, asText] = logged((logger) => {
      logger.error(new Error('broken'), 'Place');
      logger.error('broken', 'Error: broken\n    at x', 'Place');
    });
    expect(asError).toMatchObject({ msg: 'broken', err: { stack: expect.stringContaining('at ') } });
    expect(asText).toMatchObject({ msg: 'broken', stack: expect.stringContaining('at x') });
  });

  it('keeps how Nest starts for those who debug', () => {
    expect(logged((logger) => logger.log('Mapped {/events, GET} route', 'RouterExplorer'))[0]).toMatchObject({
      level: 20,
    });
  });
});
