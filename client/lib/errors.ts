/** What can go wrong, for programs. A code that has been released keeps its meaning. */
export type HeraldErrorCode =
  /** The hub can't be reached, or the connection broke. The client comes back by itself. */
  | 'unreachable'
  /** The stream was silent for longer than the hub's heartbeat allows. The client comes back by itself. */
  | 'stalled'
  /** The hub is busy (408, 425, 429 or 5xx). The client comes back by itself. */
  | 'busy'
  /**
   * The answer is no event stream and no refusal of a hub: something in front of the hub has answered. The client comes
   * back by itself.
   */
  | 'not-a-stream'
  /** The token provider failed, or its token was over before the hub had it. The client comes back by itself. */
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
  /** Tabs can't share one connection here, so this one has its own: `cause` says what is missing. All else works. */
  | 'sharing-unavailable'
  /** The hub's messages name no topic, or none that somebody has subscribed to, so nobody gets them: the message says why. */
  | 'topics-unknown'
  /** An event of the stream was too large to be held, and is left out. */
  | 'too-large'
  /** The client was asked for something it can't do: the message says what. */
  | 'misused';

/** Why the hub has refused a request (RFC 9457): its own words, for people, and a code for programs. */
export interface Problem {
  /** One of those in docs/protocol.md; undefined where a hub of another make has answered, or something in front of it. */
  readonly code?: string | undefined;
  readonly detail?: string | undefined;
}

export interface HeraldErrorDetails {
  readonly status?: number | undefined;
  readonly problem?: Problem | undefined;
  readonly cause?: unknown;
}

/** Whatever the client throws or reports. The message says what is wrong and what to do. */
export class HeraldError extends Error {
  override readonly name = 'HeraldError';
  /** The status of the hub's answer, if there was one. */
  readonly status: number | undefined;
  /** What the hub said of its refusal, if it has refused something. */
  readonly problem: Problem | undefined;

  constructor(
    readonly code: HeraldErrorCode,
    message: string,
    details: HeraldErrorDetails = {},
  ) {
    super(message, details);
    this.status = details.status;
    this.problem = details.problem;
  }
}
