/** How a client wants its stream to be. */
export interface StreamWishes {
  /** Whether it gets notices: events named `herald`, by which the hub itself tells it something. */
  readonly notices: boolean;
  /** Milliseconds of silence after which it gets a comment; undefined for what all get. */
  readonly heartbeat?: number | undefined;
}
