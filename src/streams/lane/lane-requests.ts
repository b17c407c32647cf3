import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { canTakeOver } from '../connections/take-over.js';
import { StreamLane } from './stream-lane.js';

/** The injection token of the path of the hub, whose streams clients may ask for without saying so in `Accept`. */
export const STREAM_PATH = Symbol('stream path');

/** Methods that ask for a stream. */
const METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'QUERY']);

/**
 * Has requests for streams wait in a lane before the framework sees them: routing, guards and matchers are most of what a
 * stream costs to begin.
 */
@Injectable()
export class LaneRequests implements OnApplicationBootstrap {
  private readonly lane = new StreamLane();

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(STREAM_PATH) private readonly path: string,
  ) {}

  onApplicationBootstrap(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server | undefined;
    if (!server) return;
    const listeners = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
    server.on('connection', () => this.lane.connectionCame());
    server.removeAllListeners('request');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const serve = (): void => {
        for (const listener of listeners) listener.call(server, request, response);
      };
      // One that was sent ahead of another one's answer is refused, and its connection read no further: were it to wait, a
      // client could have any number of them wait.
      if (asksForStream(request, this.path) && canTakeOver(request, response))
        this.lane.enter(serve, () => request.destroyed);
      else serve();
    });
  }
}

function asksForStream({ method, url = '', headers }: IncomingMessage, path: string): boolean {
  if (!METHODS.has(method)) return false;
  if (headers.accept?.includes('text/event-stream')) return true;
  // Whatever comes before the hub's path, be it a host or the path of another site, is still in the target here.
  const query = url.indexOf('?');
  return url.endsWith(path, query === -1 ? url.length : query);
}
