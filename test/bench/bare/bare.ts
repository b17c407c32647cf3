import { createHmac } from 'node:crypto';
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

/** Starts the smallest program that does what a hub owes its users: a measure of what these duties cost. */
export async function startBareDuties(): Promise<RunningPeer> {
  return startWithDuties('duties-server');
}

/** Starts the same in the smallest Nest application on Fastify: a measure of what both cost together. It takes no batches. */
export async function startNestDuties(): Promise<RunningPeer> {
  return startWithDuties('nest-duties-server');
}

async function startWithDuties(script: string): Promise<RunningPeer> {
  const authorization = `Bearer ${signed({ topics: ['*'], until: Date.now() + DAY })}`;
  return startNodePeer({
    script: pathOf(script),
    readyPath: '/ready',
    environment: () => ({ SECRET }),
    target: (port) => ({
      port,
      subscribePath: '/hub?match=https%3A%2F%2Fbench.example%2F{topic}',
      publishPath: '/hub',
      publishHeaders: { Authorization: authorization, 'Content-Type': 'application/x-www-form-urlencoded' },
      publishBody: 'topic=https%3A%2F%2Fbench.example%2F{topic}&data={data}',
      batch: {
        path: '/batch',
        headers: { Authorization: authorization, 'Content-Type': 'application/x-ndjson' },
        line: '{"topic":"https://bench.example/{topic}","data":"{data}"}',
      },
    }),
  });
}

/** Good for nothing but these servers. */
const SECRET = 'the secret of the smallest hub, on loopback';
const DAY = 24 * 3_600_000;

function signed(claims: object): string {
  const text = [{ alg: 'HS256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

function pathOf(script: string): string {
  return fileURLToPath(new URL(`${script}.js`, import.meta.url));
}

async function start(script: string): Promise<RunningPeer> {
  return startNodePeer({
    script: pathOf(script),
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
