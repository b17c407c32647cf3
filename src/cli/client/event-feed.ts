import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';

/** Characters of one event that are read at most: more than any hub sends. */
const LARGEST_EVENT = 64 * 1024 * 1024;

/** Milliseconds that a hub, and all that lies before it, may take to begin its answer. */
const PATIENCE = 10_000;

/** An event of a stream, with the topics that it names. */
export interface FeedEvent {
  readonly topics: readonly string[];
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly data: string;
}

/** What comes in a stream: an event, or how many milliseconds to wait before coming back. */
export type Fed = { readonly event: FeedEvent } | { readonly retry: number };

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The answer to a request has not begun in time. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Sends a request on a connection of its own, and gives the head of the answer. No redirect is followed.
 * @throws {NoAnswerError} when none begins within 10 seconds, and whatever else goes wrong.
 */
export async function ask(
  url: URL,
  { method = 'GET', headers = {}, body = '' }: AskOptions = {},
): Promise<IncomingMessage> {
  const options: RequestOptions = { method, headers, agent: false };
  const request = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
  const timer = setTimeout(() => request.destroy(new NoAnswerError('there was no answer within 10 s')), PATIENCE);
  try {
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // What breaks later is told to whoever reads the body.
    request.on('error', () => undefined);
    return response;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What a stream says, as it comes.
 * @throws when the connection breaks, or nothing has come for three times as long as the hub promises.
 */
export async function* eventsOf(response: IncomingMessage): AsyncGenerator<Fed, void> {
  const came: Fed[] = [];
  let topics: string[] = [];
  let failure: Error | undefined;
  const parser = createParser({
    maxBufferSize: LARGEST_EVENT,
    onEvent: ({ id, event, data }) => {
      came.push({ event: { topics, id, type: event, data } });
      topics = [];
    },
    onRetry: (retry) => void came.push({ retry }),
    // The parser does not know the hub's own lines.
    onError: (error) => {
      if (error.type === 'unknown-field' && error.field === 'topic') topics.push(error.value ?? '');
      else if (error.type === 'max-buffer-size-exceeded') failure = error;
    },
  });
  breakWhenSilent(response);
  const decoder = new StringDecoder('utf8');
  for await (const bytes of response as AsyncIterable<Buffer>) {
    parser.feed(decoder.write(bytes));
    yield* came.splice(0);
    if (failure) throw failure;
  }
}

/** A connection that has died without a word would be waited on for ever. */
function breakWhenSilent(response: IncomingMessage): void {
  const heartbeat = Number(response.headers['herald-heartbeat'] ?? 0);
  if (!(heartbeat > 0)) return;
  response.setTimeout(3_000 * heartbeat, () => response.destroy(new Error('nothing has come for too long')));
}
