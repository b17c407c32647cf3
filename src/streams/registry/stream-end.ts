/**
 * The ways a stream can end. A native `EventSource` comes back by itself after each of them: what it sees is the end
 * of a response, and never an error status.
 */
export const STREAM_ENDS = {
  disconnected: { notice: undefined, client: 'has left' },
  completed: { notice: undefined, client: 'reconnects: the handler had nothing more to say' },
  failed: { notice: undefined, client: 'reconnects: the handler failed, and the log says why' },
  'max-age': { notice: undefined, client: 'reconnects, perhaps to another instance' },
  stalled: { notice: undefined, client: 'reconnects, if it still reads, and resumes where it was' },
  expired: { notice: 'expired', client: 'reconnects with a new token' },
  revoked: { notice: 'revoked', client: 'reconnects, and is refused until it has another token' },
  overloaded: { notice: 'overloaded', client: 'reconnects after its own random delay: there are too many streams' },
  dismissed: { notice: 'dismissed', client: 'reconnects: an administrator has ended this stream' },
  unavailable: {
    notice: 'unavailable',
    client: 'reconnects after its own random delay: its position in the log can not be looked up at the moment',
  },
  rebalance: { notice: 'drain', client: 'reconnects after its own random delay, perhaps to another instance' },
  drain: { notice: 'drain', client: 'reconnects after its own random delay: this process is stopping' },
} as const satisfies Record<string, { notice: string | undefined; client: string }>;

export type StreamEnd = keyof typeof STREAM_ENDS;
