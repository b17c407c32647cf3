/** An event as a client hands it to its user. */
export interface Received {
  /** The last event id, as the client has it at this event. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

export interface OpenOptions {
  readonly url: string;
  /** To be sent as `Authorization: Bearer …`. */
  readonly token?: string;
}

/** A client that has been told to read a stream. `await using` closes it. */
export interface Reader extends AsyncDisposable {
  /** Everything that came so far, as soon as an event with this data is among it. */
  until(data: string): Promise<readonly Received[]>;
  /** Resolves once the client has told its user of a failure, or has ended with one. */
  failed(): Promise<unknown>;
  /** For a client that does not come back by itself: what its user does to go on after the last id. */
  readonly resume?: () => Promise<void> | void;
}

/** In the `Last-Event-ID` header, or in a parameter of the query. */
export type CursorPlace = 'header' | { readonly parameter: string };

/** A client from the field, and how it behaves. The same tests run over all of them, and hold it to what it says here. */
export interface SseClient {
  readonly name: string;
  /** Where it puts the cursor when it comes back. */
  readonly cursor: CursorPlace;
  /** Where else it puts it when it comes back after an answer that was no stream. */
  readonly cursorAfterBadGateway?: CursorPlace;
  /** What becomes of it when the hub refuses with a 401. */
  readonly onRefusal: 'stops' | 'tries again';
  /** What becomes of it when a gateway answers 502 because the hub is away. */
  readonly onBadGateway: 'stops' | 'tries again';
  /** Whether a token can be sent in the header. */
  readonly bearer: boolean;
  /** What becomes of an update's data, for a client that does not hand it on as it is. */
  readonly presents?: (data: string) => string;
  open(options: OpenOptions): Promise<Reader> | Reader;
}

/** The types that clients which must be asked for each of them listen to: the default, a publisher's, and the hub's own. */
export const EVENT_TYPES = ['message', 'note', 'herald'] as const;

/** The header of a request with this token, if there is one. */
export function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** The part of the standard's interface that every `EventSource` has, whoever made it. */
export interface EventSourceLike {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
}
