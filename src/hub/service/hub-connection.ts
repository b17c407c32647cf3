import type { OpenStream } from '../../streams/registry/stream-registry.js';

/** An open stream as lists have it. It is short, whatever was subscribed to: tokens alone bound its texts. */
export interface HubConnection {
  /** Its number at this process, in the order of coming. */
  readonly id: number;
  /** The id that the log gives to its request. */
  readonly requestId: string;
  /** The client's address, as far as proxies are trusted to tell it. */
  readonly address: string;
  readonly subject: string | undefined;
  readonly issuer: string | undefined;
  /** The id of its token. */
  readonly token: string | undefined;
  /** When its grants expire, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** Milliseconds. */
  readonly age: number;
  /** What there is to say of a stream of its kind, such as `matcherCount` and `isLive` of one of the hub's. */
  readonly [more: string]: unknown;
}

/** Whose connections are meant: those of whom all that is given here is true. */
export interface ConnectionCriteria {
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  /** The id of the token (`jti`). */
  readonly tokenId?: string | undefined;
  /** The number of one connection. */
  readonly connection?: number | undefined;
}

export interface ConnectionsRequest extends ConnectionCriteria {
  /** At most so many, up to 1,000. Default: 100. */
  readonly limit?: number | undefined;
  /** Only connections with a higher number: `next` of the page before. */
  readonly after?: number | undefined;
}

export interface ConnectionsPage {
  /** Oldest first, fewer than asked for where their texts are long. */
  readonly connections: readonly HubConnection[];
  /** All that are open, whosever they are. */
  readonly total: number;
  /** Undefined where there are no more. */
  readonly next: number | undefined;
}

export function rowOf(stream: OpenStream): HubConnection {
  const { requestId, address, caller } = stream.info;
  const { subject, issuer, tokenId, expiresAt } = caller;
  const age = Math.round(performance.now() - stream.openedAt);
  return {
    id: stream.serial,
    requestId,
    address,
    subject,
    issuer,
    token: tokenId,
    expiresAt,
    age,
    ...stream.describe(),
  };
}

/** An open stream with all that there is to say of it. */
export function detailOf(stream: OpenStream): HubConnection {
  return { ...rowOf(stream), ...stream.detail() };
}
