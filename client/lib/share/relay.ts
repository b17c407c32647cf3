import type { Matcher } from '../matcher.js';
import type { ConnectionState, Notice, WireMessage } from '../wire.js';

/** A place in what a leader has said. */
export interface Place {
  readonly leader: string;
  /** How many things it has said. */
  readonly number: number;
}

/** What the leader says: numbered, so that nobody misses something without knowing. */
export type Relayed =
  | {
      readonly kind: 'status';
      readonly state: ConnectionState;
      readonly covered: readonly string[];
      readonly cursor: string;
      /** In the first of a leader: what it had heard of the last one when it took over. */
      readonly after: Place | undefined;
    }
  | { readonly kind: 'messages'; readonly messages: readonly WireMessage[]; readonly cursor: string }
  /** Without a notice it only says how far the leader has got. */
  | { readonly kind: 'notice'; readonly notice: Notice | undefined; readonly cursor: string };

/** Everything that goes over the channel. Never a token: whoever can run a script on the origin hears it. */
export type ChannelMessage =
  | { readonly kind: 'relay'; readonly place: Place; readonly relayed: Relayed }
  /** What a tab wants; `isNew` asks for an answer. */
  | { readonly kind: 'want'; readonly tab: string; readonly matchers: readonly Matcher[]; readonly isNew: boolean }
  | { readonly kind: 'bye'; readonly tab: string }
  /** The leader asks who is there. */
  | { readonly kind: 'roll-call' }
  /** A follower has not heard of the leader for a while. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'hurry'; readonly evenIfFailed: boolean };
