import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyServerOptions } from 'fastify';
import type { Config } from '../config/config.js';
import type { TrustProxy } from '../config/fields.js';
import { answerFrameworkError, answerUnreadableRequest } from '../shared/http/problem.js';
import { readCertificate } from './certificate.js';
import { originForm } from './http/request-head.js';

/** Chromium opens at most 100 streams on an HTTP/2 connection that announces no limit, and up to 256 otherwise. */
const HTTP2_STREAMS = 1_000;

/**
 * Megabytes that one HTTP/2 session may hold. Beyond them Node resets further streams of the session. Its default of 10
 * is reached by a few stalled readers, because each stream may hold a piece of 64 KiB and a flow-control window too.
 */
const HTTP2_SESSION_MEMORY = 256;

/** The HTTP server below Nest: HTTP/1.1, or HTTP/2 and HTTP/1.1 over TLS on the same port. */
export function createAdapter({ server }: Config): FastifyAdapter {
  const options: FastifyServerOptions = {
    // `logRequests` writes one line for a request where Fastify would write two.
    logger: false,
    bodyLimit: server.maxBodyBytes,
    trustProxy: trustOf(server.trustProxy),
    rewriteUrl: originForm,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerUnreadableRequest,
  };
  if (!server.tls) return new FastifyAdapter(options);
  const https = {
    ...readCertificate(server.tls),
    allowHTTP1: true,
    settings: { maxConcurrentStreams: HTTP2_STREAMS },
    maxSessionMemory: HTTP2_SESSION_MEMORY,
  };
  // The adapter's constructor takes the options of one kind of server at a time, and its types know only HTTP/1.1's.
  const adapter = new FastifyAdapter({ ...options, http2: true, https } as FastifyServerOptions);
  // Node gives a request of HTTP/1.1 five minutes by default, and a batch has no end. Fastify lifts that on other servers.
  adapter.getInstance().server.requestTimeout = 0;
  return adapter;
}

/** Fastify takes a number of hops for "trust nobody", because it says nothing of who the last proxy is. */
function trustOf(setting: TrustProxy): Exclude<TrustProxy, number> | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}
