import type { HubErrorCode } from '../hub.errors.js';

/** A JSON Schema (2020-12), as OpenAPI has it. */
export type Schema = Readonly<Record<string, unknown>>;

/** What a caller must be allowed to do: an action of a token. `reader` needs a token only where readers do. */
export type Access = 'publish' | 'subscribe' | 'reader' | 'events' | 'admin' | 'anybody';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly description: string;
  readonly schema: Schema;
  /** Default: only what is part of the path. */
  readonly required?: boolean;
}

/** What a body or an answer of one media type looks like. */
interface Content {
  /** Of all of it. */
  readonly schema?: Schema;
  /** Of each event or line, where it is a sequence of them. */
  readonly itemSchema?: Schema;
}

export type Contents = Readonly<Record<string, Content>>;

export interface Answer {
  readonly description: string;
  readonly content?: Contents;
  /** What each header is for, by its name. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A request and its answer. All of an operation's stand in the document under their names: what is asked as examples of
 * the parameters and of the body, and what is answered as an example of the answer. A test sends each to a running service.
 */
export interface Exchange {
  readonly summary: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** The body, of the media type `type`. A form is an object, and lines are their text. */
  readonly body?: { readonly type: string; readonly value: unknown };
  readonly answer: ExampleAnswer | Refused;
}

interface ExampleAnswer {
  readonly status: number;
  readonly type: string;
  readonly value: unknown;
}

interface Refused {
  readonly code: HubErrorCode;
  readonly detail: string;
}

/** What the OpenAPI document says of a route besides its path and method, which come from the code. */
export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly parameters?: readonly Parameter[];
  readonly body?: Contents;
  /** The answers that are no refusals, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The codes with which this route may refuse a request, besides those of every route. */
  readonly refusals: readonly HubErrorCode[];
  readonly exchanges: Readonly<Record<string, Exchange>>;
}

/** What the document says of a controller: an operation for each of its public methods, so that none is forgotten. */
export type Operations<Controller> = Readonly<Record<keyof Controller, Operation>>;
