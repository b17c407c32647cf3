import type { IncomingMessage } from 'node:http';
import { visible } from './visible.js';

/** Bytes of a refusal that are read, and characters of its text that are told. */
const READ = 16 * 1024;
const TOLD = 500;

/** What an answer that is no success says: its status, and the detail of its problem document (RFC 9457). */
export async function refusalOf(response: IncomingMessage): Promise<string> {
  const text = await textOf(response, READ);
  const detail = detailIn(text);
  return `status ${response.statusCode}${detail === undefined ? '' : `, ${visible(detail).slice(0, TOLD).replace(/\.$/, '')}`}`;
}

/** The body of an answer, or its first `most` bytes. */
export async function textOf(response: IncomingMessage, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length >= most) break;
  }
  return Buffer.concat(parts).subarray(0, most).toString('utf8');
}

function detailIn(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem !== 'object' || problem === null || !('detail' in problem)) return undefined;
    return typeof problem.detail === 'string' ? problem.detail : undefined;
  } catch {
    return undefined;
  }
}
