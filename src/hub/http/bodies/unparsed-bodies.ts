import type { IncomingMessage, Server } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { hasBody, hideBody } from '../../../shared/exchange/hidden-body.js';
import { HUB_OPTIONS, type HubOptions } from '../../service/hub.options.js';
import { HUB_PATH } from '../../../shared/hub-path.js';

/**
 * The targets of requests whose bodies the hub reads itself, in any of the ways in which Express takes them for a route: with
 * a host, and below the application's global prefix.
 */
function targetOf(path: string): RegExp {
  return new RegExp(`^[^?#]*${path.replaceAll('.', '[.]')}(?:/(?:batch|history))?/?(?:[?#]|$)`, 'i');
}

/**
 * Keeps the body parsers of an application on Express from the hub's requests. They are middleware, and would read a body
 * before the guards have looked at who sends it, with limits of their own and without the hub's time-out.
 */
@Injectable()
export class UnparsedBodies implements OnApplicationBootstrap {
  private readonly target: RegExp;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(HUB_OPTIONS) { path = HUB_PATH }: HubOptions,
  ) {
    this.target = targetOf(path);
  }

  onApplicationBootstrap(): void {
    const { httpAdapter } = this.host;
    if (httpAdapter?.getType() !== 'express') return;
    // Before whatever serves the request, also where an application brings an Express of its own with middleware in it.
    (httpAdapter.getHttpServer() as Server).prependListener('request', (request: IncomingMessage) => {
      if (hasBody(request) && this.target.test(request.url ?? '')) hideBody(request);
    });
  }
}
