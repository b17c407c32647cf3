import { type Caller, NOBODY } from '../../access/caller.js';
import type { RequestNames } from '../../shared/trace/request-id.js';
import type { StreamWishes } from './stream-wishes.js';

/** Whose stream it is, and which request has asked for it. */
export interface StreamInfo extends RequestNames {
  /** The client's address, as far as proxies are trusted to tell it. */
  readonly address: string;
  readonly caller: Caller;
  /** How it is wanted, where that is not as all are. */
  readonly wishes?: StreamWishes | undefined;
}

export const UNKNOWN_STREAM: StreamInfo = { requestId: '', address: '', caller: NOBODY };

/** What log lines name a stream's request by. */
export function requestNames({ requestId, traceId }: StreamInfo): RequestNames {
  return traceId === undefined ? { requestId } : { requestId, traceId };
}
