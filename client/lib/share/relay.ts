import type { Matcher } from '../matcher.js';
import type { ConnectionState, Notice, WireMessage } from '../wire.js';

/** The number of one of a leader's broadcasts. */
export interface Place {
  readonly leader: string;
  /** How many broadcasts the leader has sent. */
  readonly number: number;
}

/** What a leader broadcasts. Its broadcasts are numbered, so that a tab notices when it has missed one. */
export type Relayed =
  | {
      readonly kind: 'status';
      readonly state: ConnectionState;
      readonly covered: readonly string[];
      readonly cursor: string;
      /** In a leader's first broadcast: the last one of its predecessor that it had received. */
      readonly after: Place | undefined;
    }
  | { readonly kind: 'messages'; readonly messages: readonly WireMessage[]; readonly cursor: string }
  | { readonly kind: 'notice'; readonly notice: Notice; readonly cursor: string };

/** What goes over the channel, with the name of the group that it is for: a tab ignores what is not for its own. */
export interface Envelope {
  readonly group: string;
  readonly message: ChannelMessage;
}

/** What tabs tell each other. Tokens never are: any script of the origin can read the channel. */
export type ChannelMessage =
  | { readonly kind: 'relay'; readonly place: Place; readonly relayed: Relayed }
  /** The matchers of a tab. `isNew` asks the leader for its status. */
  | { readonly kind: 'want'; readonly tab: string; readonly matchers: readonly Matcher[]; readonly isNew: boolean }
  | { readonly kind: 'bye'; readonly tab: string }
  /** The leader asks who is there. */
  | { readonly kind: 'roll-call' }
  /** A follower has not heard from the leader for a while. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'hurry'; readonly evenIfFailed: boolean };
