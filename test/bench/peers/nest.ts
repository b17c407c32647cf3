import { fileURLToPath } from 'node:url';
import { installedVersion } from './installed.js';
import { startNodePeer } from './node-peer.js';
import type { Peer } from './peer.js';

/** NestJS as its documentation shows it: `@Sse()` over one shared Subject, on Fastify. */
export const nest: Peer = {
  name: 'nest',
  resumes: false,
  describe: () =>
    `NestJS ${installedVersion('@nestjs/core')} \`@Sse()\` with a shared Subject on Fastify ${installedVersion('fastify')}, Node ${process.version}`,
  missing: () => undefined,
  start: async () =>
    startNodePeer({
      script: fileURLToPath(new URL('nest-server.js', import.meta.url)),
      readyPath: '/ready',
      environment: () => ({}),
      target: (port) => ({
        port,
        subscribePath: '/topics/{topic}',
        publishPath: '/topics/{topic}',
        publishHeaders: { 'Content-Type': 'text/plain' },
        publishBody: '{data}',
      }),
    }),
};
