import type { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import { type Caller, NOBODY } from '../../access/caller.js';
import type { GuardedRequest } from '../../access/guarded-request.js';
import type { HubReply } from '../../shared/exchange/hub-reply.js';
import { traceParentOf } from '../../shared/trace/traceparent.js';

/** What a stream knows of the request that it answers. */
export interface StreamRequest {
  /** The request's id in log messages. */
  readonly id: string;
  /** The id of the distributed trace that the request belongs to, where its sender has named one. */
  readonly traceId: string | undefined;
  /** The `Last-Event-ID` that the client sent, if any. */
  readonly lastEventId: string | undefined;
  /** The client's address, as far as proxies are trusted to tell it. */
  readonly address: string;
  /** The caller that a guard has identified. */
  readonly caller: Caller;
  /** Node's request. */
  readonly raw: EventEmitter;
  /** Node's response. */
  readonly response: Writable;
}

export function toStreamRequest(request: GuardedRequest, { raw: response }: HubReply): StreamRequest {
  const lastEventId = request.headers['last-event-id'];
  return {
    id: request.id,
    traceId: traceParentOf(request.headers['traceparent'])?.traceId,
    lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
    address: request.ip,
    caller: request.grants ?? NOBODY,
    raw: request.raw,
    response,
  };
}

/** A property of requests, because collecting the garbage of a weak set takes longer with each stream. */
const IS_STREAM = Symbol('answered by a stream');

/** Remembers that this request is answered by a stream. */
export function markStream(raw: object): void {
  (raw as { [IS_STREAM]?: true })[IS_STREAM] = true;
}

export function isStream(raw: object): boolean {
  return IS_STREAM in raw;
}
