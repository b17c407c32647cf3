import type { IncomingHttpHeaders } from 'node:http';
import { type EventStream, send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { type Fields, form, HUB, noticesOf, updatesOf } from '../support/hub.js';

/** Where the hubs of these suites say that their metadata is. */
const METADATA_URL = 'https://hub.example/.well-known/oauth-protected-resource/.well-known/mercure';

/** Milliseconds that something may take before the test gives up on it. */
export const PATIENCE = 15_000;

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

export interface Question {
  readonly method?: string;
  readonly path?: string;
  /** As it goes over the wire, one character a byte. */
  readonly query?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty where the answer is a stream. */
  readonly text: string;
  /** What a refusal is called. */
  readonly code: string | undefined;
  readonly challenge: string | undefined;
}

/** Sends a request to the hub, and reads the answer unless it is a stream, which is let go of. */
export async function ask(herald: Herald, question: Question): Promise<Answer> {
  const { method = 'GET', path = HUB, query, token, headers = {}, body } = question;
  const response = await send(
    herald.url,
    {
      method,
      path: query === undefined ? path : `${path}?${query}`,
      headers: { ...(token !== undefined && bearer(token)), ...headers },
    },
    body,
  );
  const { statusCode: status = 0, headers: answered } = response;
  const isStream = answered['content-type'] === 'text/event-stream; charset=utf-8' && method !== 'HEAD';
  if (isStream) response.destroy();
  const text = isStream ? '' : await textOf(response);
  return { status, headers: answered, text, code: codeOf(answered, text), challenge: answered['www-authenticate'] };
}

function codeOf(headers: IncomingHttpHeaders, text: string): string | undefined {
  if (!headers['content-type']?.startsWith('application/problem+json')) return undefined;
  return (JSON.parse(text) as { code?: string }).code;
}

/** Publishes, and gives the answer whatever it is. */
export function publish(herald: Herald, fields: Fields | string | Buffer, token?: string): Promise<Answer> {
  const body = typeof fields === 'string' || Buffer.isBuffer(fields) ? fields : form(fields);
  return ask(herald, { method: 'POST', headers: FORM, body, token });
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** The whole challenge of a refusal, with this error code, or with none. */
export function challenge(error?: string): string {
  return error
    ? `Bearer error="${error}", resource_metadata="${METADATA_URL}"`
    : `Bearer resource_metadata="${METADATA_URL}"`;
}

/** Marks the end of what a test publishes: whatever a stream was to get has come before it. */
const END = 'urn:the-end';

/** What a stream with a query of {@link withEnd} got before the end, by its data. */
export async function dataOfUntilEnd(stream: EventStream): Promise<string[]> {
  await stream.until(({ events }) => events.some(({ data }) => data === END));
  return updatesOf(stream)
    .map(({ data }) => data)
    .filter((data) => data !== END);
}

/** `query`, and the matcher that gets what {@link publishEnd} publishes. */
export function withEnd(query: string, parameter: 'match' | 'topic' = 'match'): string {
  return `${query}&${parameter}=${END}`;
}

export async function publishEnd(herald: Herald, token: string): Promise<void> {
  const { status, text } = await publish(herald, { topic: END, data: END }, token);
  if (status !== 200) throw new Error(`publishing was refused with ${status}: ${text}`);
}

/** How the stream ends: `true` for a clean end, `false` for a cut, and also where it goes on for too long. */
export async function endOf({ ended, response }: EventStream): Promise<boolean> {
  const deadline = setTimeout(() => response.destroy(), PATIENCE);
  return ended.finally(() => clearTimeout(deadline));
}

/** Whether the replay that was asked for is over. */
export function isCaughtUp(stream: EventStream): boolean {
  return noticesOf(stream).some(({ type }) => type === 'caught-up');
}

export function dataOf(stream: EventStream): string[] {
  return updatesOf(stream).map(({ data }) => data);
}
