import { HubError } from '../../access/hub.errors.js';
import { whenSent } from '../../shared/exchange/exchange.js';
import type { HubReply } from '../../shared/exchange/hub-reply.js';
import type { ClientFile } from './client-files.js';

/** For files whose names stay when they change: browsers ask each time whether they have. */
export const FRESH = { 'cache-control': 'no-cache' };

/** For files whose names have a hash of what is in them. */
export const FOR_GOOD = { 'cache-control': 'public, max-age=31536000, immutable' };

/**
 * Sends a file, or says that the client has it already. It is sent here, so that an application's interceptors can't make
 * something else of it.
 * @throws {HubError} where there is none.
 */
export async function sendFile(
  reply: HubReply,
  file: ClientFile | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  if (!file) throw new HubError('not-found', 'There is nothing at this path.');
  const all = { ...headers, etag: file.tag, 'x-content-type-options': 'nosniff' };
  for (const [name, value] of Object.entries(all)) reply.header(name, value);
  if (isKnown(file.tag, reply.request.headers['if-none-match'])) reply.status(304).send();
  else reply.header('content-type', file.type).send(file.text);
  await whenSent(reply);
}

/** Whether a client has what a tag is for (RFC 9110, 13.1.2). Who compresses an answer makes its tag a weak one. */
function isKnown(tag: string, condition = ''): boolean {
  return condition.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}
