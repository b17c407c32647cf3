import { HeraldError, type HeraldErrorCode, type Problem } from '../errors.js';
import type { Matcher } from '../matcher.js';
import type { Bundle, ConnectionState, Notice, WireMessage } from '../wire.js';

/** The number of one of a leader's broadcasts. */
export interface Place {
  readonly leader: string;
  /** How many broadcasts the leader has sent. */
  readonly number: number;
}

/** One of the leader's streams. */
interface RelayedStream {
  readonly name: string;
  readonly covered: readonly Matcher[];
  readonly cursor: string;
}

/** A matcher that the hub has refused, and why: the parts of an error that go from tab to tab. */
export interface RelayedRefusal {
  readonly matcher: Matcher;
  readonly code: HeraldErrorCode;
  readonly message: string;
  readonly status: number | undefined;
  readonly problem: Problem | undefined;
}

export function toRefusal(matcher: Matcher, { code, message, status, problem }: HeraldError): RelayedRefusal {
  return { matcher, code, message, status, problem };
}

export function toError({ code, message, ...details }: RelayedRefusal): HeraldError {
  return new HeraldError(code, message, details);
}

/** What a leader broadcasts. Its broadcasts are numbered, so that a tab notices when it has missed one. */
export type Relayed =
  | {
      readonly kind: 'status';
      readonly state: ConnectionState;
      readonly streams: readonly RelayedStream[];
      readonly refused: readonly RelayedRefusal[];
      /** In a leader's first broadcast: the last one of its predecessor that it had received. */
      readonly after: Place | undefined;
    }
  | {
      readonly kind: 'messages';
      readonly stream: string;
      readonly messages: readonly WireMessage[];
      readonly cursor: string;
    }
  | { readonly kind: 'notice'; readonly stream: string; readonly notice: Notice; readonly cursor: string };

/** What goes over the channel, with the name of the group that it is for: a tab ignores what is not for its own. */
export interface Envelope {
  readonly group: string;
  readonly message: ChannelMessage;
}

/** What tabs tell each other. Tokens never are: any script of the origin can read the channel. */
export type ChannelMessage =
  | { readonly kind: 'relay'; readonly place: Place; readonly relayed: Relayed }
  /** The matchers of a tab. `isNew` asks the leader for its status. */
  | { readonly kind: 'want'; readonly tab: string; readonly bundles: readonly Bundle[]; readonly isNew: boolean }
  | { readonly kind: 'bye'; readonly tab: string }
  /** The leader asks who is there. */
  | { readonly kind: 'roll-call' }
  /** A follower has not heard from the leader for a while. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'hurry'; readonly evenIfFailed: boolean };

/** Whether a broadcast comes right after the one at `place`, which is the last that was received. */
export function follows(place: Place, { leader, number }: Place, relayed: Relayed): boolean {
  if (leader === place.leader) return number === place.number + 1;
  if (number !== 1 || relayed.kind !== 'status') return false;
  const { after } = relayed;
  return after?.leader === place.leader && after.number <= place.number;
}

/** Where the streams are that a broadcast tells of. */
export function positionsOf(relayed: Relayed): readonly { readonly name: string; readonly cursor: string }[] {
  return relayed.kind === 'status' ? relayed.streams : [{ name: relayed.stream, cursor: relayed.cursor }];
}

/** One of the leader's streams, as it is broadcast. */
export function toRelayed(name: string, covered: ReadonlySet<Matcher>, cursor: string): RelayedStream {
  return { name, covered: [...covered], cursor };
}
