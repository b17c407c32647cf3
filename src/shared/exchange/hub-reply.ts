import type { ServerResponse } from 'node:http';
import type { HubRequest } from './hub-request.js';

/**
 * The answer to a request, as far as the hub has to do with it. Fastify's own replies are such ones as they are; `hubReplyOf`
 * makes one of Express's responses.
 */
export interface HubReply {
  readonly request: HubRequest;
  /** Node's response. */
  readonly raw: ServerResponse;
  /** Whether somebody has answered, or taken the answer out of the framework's hands. */
  readonly sent: boolean;
  getHeader(name: string): number | string | string[] | undefined;
  getHeaders(): Readonly<Record<string, number | string | string[] | undefined>>;
  header(name: string, value: number | string | string[]): HubReply;
  status(status: number): HubReply;
  /** Sends a text as it is, and an object as JSON. */
  send(payload?: string | object): HubReply;
  /** Takes the answer out of the framework's hands: whoever has called this writes to `raw`. */
  hijack(): HubReply;
}
