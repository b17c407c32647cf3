/** What can go wrong, for programs. A code that has been released keeps its meaning. */
export type HeraldErrorCode =
  /** The hub can't be reached, or the connection broke. The client comes back by itself. */
  | 'unreachable'
  /** The stream was silent for longer than the hub's heartbeat allows. The client comes back by itself. */
  | 'stalled'
  /** The hub is busy (408, 425, 429 or 5xx). The client comes back by itself. */
  | 'busy'
  /** The answer is no event stream: something in front of the hub has answered. The client comes back by itself. */
  | 'not-a-stream'
  /** The token provider failed. The client comes back by itself. */
  | 'token-failed'
  /** The hub refused the token, and a fresh one too. */
  | 'unauthorized'
  /** The hub refused the request for good: `status` says how. */
  | 'refused'
  /** This hub does not have what was asked for: the message says which, and what it would need. */
  | 'not-supported'
  /** The hub has nothing (more) to send, and asked not to come back (204). */
  | 'stopped'
  /** A handler threw: `cause` is what it threw. */
  | 'handler-failed'
  /** `message.data` was read, but the message's data is not JSON. */
  | 'data-invalid'
  /** The buffer of an iterator with `overflow: 'fail'` was full. */
  | 'overflow'
  /** This hub does not tell which topic a message is of, so several topics can't share a connection. */
  | 'topics-unknown'
  /** The client was asked for something it can't do: the message says what. */
  | 'misused';

/** What the hub says of a refusal (RFC 9457). */
export interface Problem {
  /** The hub's name for it, for programs. */
  readonly code?: string;
  /** One sentence for people. */
  readonly detail?: string;
}

/** Whatever the client throws or reports. The message says what is wrong and what to do. */
export class HeraldError extends Error {
  override readonly name = 'HeraldError';
  /** The status of the hub's answer, if there was one. */
  readonly status: number | undefined;
  /** What the hub said of its refusal, if it did. */
  readonly problem: Problem | undefined;

  constructor(
    readonly code: HeraldErrorCode,
    message: string,
    details: {
      readonly status?: number | undefined;
      readonly cause?: unknown;
      readonly problem?: Problem | undefined;
    } = {},
  ) {
    super(message, details);
    this.status = details.status;
    this.problem = details.problem;
  }
}
