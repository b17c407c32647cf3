import http from 'node:http';
import http2 from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';

// Loaded into the service before it starts (`node --import`): time-outs for requests pass quicker, and are looked for
// more often.

/** Milliseconds that each time-out lasts. */
const TIMEOUT = 300;

const CHECKS = { connectionsCheckingInterval: 50 };

/** Whatever they are set to, they are short; 0 is still none. */
function hasten(server) {
  for (const name of ['headersTimeout', 'requestTimeout', 'timeout']) {
    let value = server[name];
    const set = (next) => {
      value = next;
    };
    Object.defineProperty(server, name, { get: () => value && TIMEOUT, set });
  }
  return server;
}

const { createServer } = http;
const { createSecureServer } = http2;
http.createServer = (options, listener) => hasten(createServer({ ...options, ...CHECKS }, listener));
http2.createSecureServer = (...given) => Object.assign(hasten(createSecureServer(...given)), CHECKS);
syncBuiltinESMExports();
