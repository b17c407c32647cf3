import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/**
 * An application that listens at a port that the system has chosen.
 * @param configure what is done with it before.
 */
export async function listening(
  module: Type,
  adapter: ExpressAdapter | FastifyAdapter = new FastifyAdapter(),
  configure: (app: INestApplication) => unknown = () => undefined,
): Promise<INestApplication> {
  const options = { abortOnError: false, forceCloseConnections: true, logger: false } as const;
  const app = await NestFactory.create(module, adapter, options);
  await configure(app);
  await app.listen(0, '127.0.0.1');
  return app;
}
