import { type Caller, NOBODY } from '../../access/caller.js';
import type { StreamWishes } from './stream-wishes.js';

/** Whose stream it is. */
export interface StreamInfo {
  /** The id of the request that asked for the stream, as log messages have it. */
  readonly requestId: string;
  /** The id of the distributed trace that the request belongs to, where its sender has named one. */
  readonly traceId?: string | undefined;
  /** The client's address, as far as proxies are trusted to tell it. */
  readonly address: string;
  readonly caller: Caller;
  /** How it is wanted, where that is not as all are. */
  readonly wishes?: StreamWishes | undefined;
}

export const UNKNOWN_STREAM: StreamInfo = { requestId: '', address: '', caller: NOBODY };

/** What log lines name a stream's request by. */
export function namesOf({ requestId, traceId }: StreamInfo): { readonly requestId: string; readonly traceId?: string } {
  return traceId === undefined ? { requestId } : { requestId, traceId };
}
