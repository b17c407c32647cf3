import { fileURLToPath } from 'node:url';
import { installedVersion } from './installed.js';
import { startNodePeer } from './node-peer.js';
import type { Peer } from './peer.js';

/** better-sse with a channel for each topic, on node:http. */
export const betterSse: Peer = {
  name: 'better-sse',
  resumes: false,
  describe: () => `better-sse ${installedVersion('better-sse')} on node:http, Node ${process.version}`,
  missing: () => undefined,
  start: async () =>
    startNodePeer({
      script: fileURLToPath(new URL('better-sse-server.js', import.meta.url)),
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
