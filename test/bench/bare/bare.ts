import { fileURLToPath } from 'node:url';
import { startNodePeer } from '../peers/node-peer.js';
import type { RunningPeer } from '../peers/peer.js';

/** Starts the smallest hub in bare Node: no peer, but a measure of what Node itself costs. */
export async function startBare(): Promise<RunningPeer> {
  return start('bare-server');
}

/** Starts the same hub in the smallest Nest application on Fastify: a measure of what the framework costs. It takes no batches. */
export async function startBareNest(): Promise<RunningPeer> {
  return start('nest-server');
}

async function start(script: string): Promise<RunningPeer> {
  return startNodePeer({
    script: fileURLToPath(new URL(`${script}.js`, import.meta.url)),
    readyPath: '/ready',
    environment: () => ({}),
    target: (port) => ({
      port,
      subscribePath: '/topics/{topic}',
      publishPath: '/topics/{topic}',
      publishHeaders: { 'Content-Type': 'text/plain' },
      publishBody: '{data}',
      batch: {
        path: '/batch',
        headers: { 'Content-Type': 'application/x-ndjson' },
        line: '{"topic":"/topics/{topic}","data":"{data}"}',
      },
    }),
  });
}
