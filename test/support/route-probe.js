// Loaded into the service before it starts (`node --import`): tells the test which routes its router gets.
import { subscribe } from 'node:diagnostics_channel';

const routes = [];

subscribe('fastify.initialization', ({ fastify }) => {
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, url });
  });
});
process.on('message', () => process.send?.(routes));
// The channel must not be a reason to stay alive.
process.channel?.unref();
