import { send, textOf } from './event-stream.js';
import { adminToken } from './hub.js';
import { PATIENCE, type Target } from './stream-client.js';

export interface AdminAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface AdminQuestion {
  /** Another token than an administrator's. */
  readonly token?: string;
  /** Sent as JSON, or as it is where it is a text. */
  readonly body?: unknown;
}

/** Asks as an administrator, or with what else is given. */
export async function askAdmin(
  { url }: Target,
  method: string,
  path: string,
  { token, body }: AdminQuestion = {},
): Promise<AdminAnswer> {
  // Issued later than anything that a suite revokes.
  const bearer = token ?? (await adminToken({ claims: { iat: 9_000 } }));
  const headers = {
    ...(bearer && { authorization: `Bearer ${bearer}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const response = await send(`${url}/admin/${path}`, { method, headers }, toText(body));
  return { status: response.statusCode ?? 0, body: JSON.parse(await textOf(response)) as Record<string, unknown> };
}

/** An open stream as administrators see it. */
export type Listed = Readonly<Record<string, unknown>> & { readonly id: number };

/** The open streams of a process, the first thousand of them. */
export async function listConnections(target: Target): Promise<readonly Listed[]> {
  const { status, body } = await askAdmin(target, 'GET', 'connections?limit=1000');
  if (status !== 200) throw new Error(`the connections are not listed: ${status}`);
  return body['connections'] as Listed[];
}

/** Resolves once the open streams are as they should be: a process hears of an end a moment after the client. */
export async function untilConnections(
  target: Target,
  condition: (connections: readonly Listed[]) => boolean,
): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  let connections = await listConnections(target);
  while (!condition(connections) && performance.now() < deadline) connections = await listConnections(target);
  if (condition(connections)) return;
  throw new Error(`the connections do not come to what they should be: ${JSON.stringify(connections)}`);
}

function toText(body: unknown): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}
