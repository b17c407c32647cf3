import { type HttpServer, SetMetadata } from '@nestjs/common';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { ROUTE_CONFIG } from '../bodies/late-body.js';

const LONG_PARTS = 'longParts';

/** The most parts that a path of a subscription has. */
const PARTS = 3;

/** For a route whose path ends with parameters, of which one may be as long as a topic. */
export function LongParts(): MethodDecorator {
  return SetMetadata(ROUTE_CONFIG, { [LONG_PARTS]: true });
}

/**
 * Has Fastify take long parts of a path for routes that are marked with {@link LongParts}: its router leaves a parameter of more
 * than 100 characters alone (`maxParamLength`), unless the application says otherwise, but not what a wildcard stands for. It
 * must run before the routes are made.
 */
export function takeLongParts(adapter: HttpServer): void {
  if (adapter.getType() !== 'fastify') return;
  const fastify = adapter.getInstance() as FastifyInstance;
  const { routerOptions, maxParamLength } = fastify.initialConfig;
  if ((routerOptions?.maxParamLength ?? maxParamLength ?? 0) >= HUB_LIMITS.topicBytes) return;
  fastify.addHook('onRoute', ({ method, url: given, handler, config = {}, constraints = {} }) => {
    // A route for HEAD comes with it.
    if (method !== 'GET' || !isLong(config) || !given.endsWith('/:first')) return;
    const url = given.replace(/:first$/, '*');
    // Of several hubs of the application, each has had such a hook made.
    if (!fastify.hasRoute({ method, url })) fastify.route({ method, url, handler, config, constraints });
  });
}

/**
 * The parts of a path that a wildcard stands for, or undefined where there are none, or too many of them. The router decodes
 * it as a whole, so that only the target of the request says where a part ends.
 */
export function longPartsOf(target: string, wildcard: string): readonly string[] | undefined {
  const [path = ''] = target.split(/[?#]/, 1);
  const last = path.split('/').slice(-PARTS).map(decodeURIComponent);
  const parts = last.map((_, index) => last.slice(index)).find((some) => some.join('/') === wildcard);
  return parts?.includes('') ? undefined : parts;
}

function isLong(config: NonNullable<RouteOptions['config']>): boolean {
  return LONG_PARTS in config && config[LONG_PARTS] === true;
}
