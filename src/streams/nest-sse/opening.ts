import type { Writable } from 'node:stream';
import { EVENT_STREAM } from '../frames/frame.js';

/** What Nest calls of the response that it writes a stream to. */
type Destination = Writable & { writeHead?: (status: number, headers: Readonly<Record<string, unknown>>) => unknown };

/**
 * Has a stream that Nest writes begin with `opening`, and name its charset. Nest begins it with a blank line, which some
 * clients report as an empty message. What else is written to the response, such as a refusal, stays as it is.
 */
export function beginWith(response: Writable, opening: string): void {
  const destination: Destination = response;
  const write = destination.write.bind(destination) as (...given: unknown[]) => boolean;
  const writeHead = destination.writeHead?.bind(destination);
  if (writeHead) {
    destination.writeHead = (status, headers) => {
      destination.writeHead = writeHead;
      const isStream = headers?.['Content-Type'] === 'text/event-stream';
      return writeHead(status, isStream ? { ...headers, 'Content-Type': EVENT_STREAM } : headers);
    };
  }
  destination.write = (chunk: unknown, ...others: unknown[]) => {
    destination.write = write;
    return write(chunk === '\n' ? opening : chunk, ...others);
  };
}
