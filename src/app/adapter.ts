import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyServerOptions } from 'fastify';
import type { Config } from '../config/config.js';
import type { TrustProxy } from '../config/fields/fields.js';
import { HUB_LIMITS } from '../hub/limits/hub.limits.js';
import type { RepeatedLines } from '../shared/log/repeated-lines.js';
import { requestIdOf } from '../shared/trace/request-id.js';
import { readCertificate } from './certificate.js';
import type { ShareRefusal } from './http/cors.js';
import { withoutBase } from './http/base-path.js';
import { MAX_HEADER_LINES, originForm } from './http/request-head.js';
import { answerUnreadable, answerUnroutable } from './http/unreadable.js';

/** Chromium opens at most 100 streams on an HTTP/2 connection that announces no limit, and up to 256 otherwise. */
const HTTP2_STREAMS = 1_000;

/**
 * The parser refuses heads of so many times the limit, of which nobody knows whose they are. Those between have been read,
 * and are answered like any request: with one reason, which pages of other origins can read.
 */
const PARSED = 2;

/**
 * Megabytes that one HTTP/2 session may hold. Beyond them Node resets further streams of the session. Its default of 10
 * is reached by a few stalled readers, because each stream may hold a piece of 64 KiB and a flow-control window too.
 */
const HTTP2_SESSION_MEMORY = 256;

/**
 * The HTTP server below Nest: HTTP/1.1, or HTTP/2 and HTTP/1.1 over TLS on the same port.
 * @param unread takes a log line for each request that could not be read.
 */
export function createAdapter({ server }: Config, share: ShareRefusal, unread: RepeatedLines): FastifyAdapter {
  const maxHeaderSize = PARSED * server.maxHeadBytes;
  const options: FastifyServerOptions = {
    // `logRequests` writes one line for a request where Fastify would write two.
    logger: false,
    genReqId: ({ headers }) => requestIdOf(headers),
    bodyLimit: server.maxBodyBytes,
    trustProxy: trustOf(server.trustProxy),
    rewriteUrl: (request) => withoutBase(originForm(request), server.basePath),
    // The router counts what a part of the path stands for, and a topic is one: it has no more characters than bytes.
    routerOptions: { maxParamLength: HUB_LIMITS.topicBytes },
    frameworkErrors: answerUnroutable(share),
    // What comes on a connection that is kept open is answered until that one is closed: nobody is refused for the end.
    return503OnClosing: false,
    clientErrorHandler: answerUnreadable(share, unread),
  };
  // `checkHeads` says what is wrong with a request without a host, where Node would only cut it off.
  if (!server.tls) {
    return answeringOnce(new FastifyAdapter({ ...options, http: { maxHeaderSize, requireHostHeader: false } }));
  }
  const https = {
    ...readCertificate(server.tls),
    allowHTTP1: true,
    maxHeaderListPairs: 2 * MAX_HEADER_LINES,
    settings: { maxConcurrentStreams: HTTP2_STREAMS, maxHeaderListSize: maxHeaderSize },
    maxSessionMemory: HTTP2_SESSION_MEMORY,
  };
  // The adapter's constructor takes the options of one kind of server at a time, and its types know only HTTP/1.1's.
  const adapter = new FastifyAdapter({ ...options, http2: true, https } as FastifyServerOptions);
  // Node gives a request of HTTP/1.1 five minutes by default, and a batch has no end. Fastify lifts that on other servers.
  Object.assign(adapter.getInstance().server, { requestTimeout: 0, maxHeaderSize, requireHostHeader: false });
  return answeringOnce(adapter);
}

/**
 * Has what a handler has answered itself not looked at again, which took a fiftieth of a publication's CPU time. It is no
 * class of its own, because `@nestjs/serve-static` knows the adapter by its class's name.
 */
function answeringOnce(adapter: FastifyAdapter): FastifyAdapter {
  const reply = adapter.reply.bind(adapter);
  adapter.reply = (response, body, status) =>
    body === undefined && 'sent' in response && response.sent ? response : reply(response, body, status);
  return adapter;
}

/** Fastify takes a number of hops for "trust nobody", because it says nothing of who the last proxy is. */
function trustOf(setting: TrustProxy): Exclude<TrustProxy, number> | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}
