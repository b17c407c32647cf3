import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { HttpAdapterHost } from '@nestjs/core';
import { LaneRequests } from './lane-requests.js';

const STREAM = { method: 'GET', url: '/events', headers: { accept: 'text/event-stream' }, httpVersionMajor: 1 };
const CROWD = 100;

/** A server in whose lane a crowd waits. */
function crowded(): {
  server: EventEmitter;
  served: string[];
  ask: (id: string, request: object, response?: object) => void;
} {
  const server = new EventEmitter();
  const served: string[] = [];
  server.on('request', ({ id }: { id: string }) => served.push(id));
  const host = { httpAdapter: { getHttpServer: () => server } } as unknown as HttpAdapterHost;
  new LaneRequests(host, '/.well-known/mercure').onApplicationBootstrap();
  const ask = (id: string, request: object, response: object = { socket: {} }): void => {
    server.emit('request', { id, ...request }, response);
  };
  for (let index = 0; index < CROWD; index += 1) ask('crowd', STREAM);
  return { server, served, ask };
}

describe('requests beside a crowd that asks for streams', () => {
  it.each([
    ['a publication', { ...STREAM, method: 'POST', url: '/.well-known/mercure' }, undefined],
    ['a page', { ...STREAM, url: '/', headers: {} }, undefined],
    ['a stream that was asked for ahead of another answer', STREAM, { socket: null }],
  ])('are served at once: %s', (_, request, response) => {
    const { served, ask } = crowded();
    expect(served.length).toBeLessThan(CROWD);
    ask('other', request, response);
    expect(served.at(-1)).toBe('other');
  });

  it.each([
    ['a stream of the hub', { ...STREAM, url: '/.well-known/mercure?match=a', headers: {} }],
    ['one by QUERY', { ...STREAM, method: 'QUERY', url: '/.well-known/mercure', headers: {} }],
    ['one over HTTP/2', { ...STREAM, httpVersionMajor: 2 }],
  ])('wait for their turn: %s', async (_, request) => {
    const { served, ask } = crowded();
    ask('other', request, { socket: undefined });
    while (served.at(-1) !== 'other' && served.length <= CROWD) {
      // oxlint-disable-next-line no-await-in-loop -- turn by turn
      await turn();
    }
    expect(served).toEqual([...Array.from({ length: CROWD }, () => 'crowd'), 'other']);
  });
});
