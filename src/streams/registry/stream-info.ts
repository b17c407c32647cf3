import { type Caller, NOBODY } from '../../access/caller.js';

/** Whose stream it is. */
export interface StreamInfo {
  /** What the log calls the request that asked for it. */
  readonly requestId: string;
  /** The client's, as far as proxies are trusted to tell it. */
  readonly address: string;
  readonly caller: Caller;
}

export const UNKNOWN_STREAM: StreamInfo = { requestId: '', address: '', caller: NOBODY };
