import type { Problem } from './errors.js';
import type { Room } from './wire.js';

/** What an answer says of its refusal. */
export interface Refusal extends Problem {
  /** What it is for, unless for the request as such: one of the matchers, or all of them together. */
  readonly blames?: 'one' | 'all' | undefined;
  /** How much of a kind the hub takes on one stream, with the code `matchers-too-many`. */
  readonly limit?: Room | undefined;
}

/** The hub's codes that say that there are too many matchers for one request. */
const TOO_MUCH = new Set(['matchers-too-many', 'matchers-too-costly', 'parameters-too-many', 'head-too-large']);

/** The most bytes of a refusal that are read: Herald's have some hundred. */
const LONGEST = 16_384;

/** Reads why a request was refused (RFC 9457); undefined where the answer is not a hub's. Never throws. */
export async function problemOf({ headers, body }: Response): Promise<Refusal | undefined> {
  try {
    if (!/^application\/(?:problem\+)?json\b/i.test(headers.get('content-type') ?? '')) {
      await body?.cancel();
      return undefined;
    }
    return problemIn(await textOf(body));
  } catch {
    return undefined;
  }
}

/** The same of a text; undefined if it is not JSON. */
export function problemIn(text: string): Refusal | undefined {
  try {
    const { code, detail, limit } = JSON.parse(text) as Refusal;
    return {
      ...(typeof code === 'string' && { code, blames: blamedBy(code) }),
      ...(typeof detail === 'string' && { detail }),
      ...(typeof limit?.count === 'number' && typeof limit.bytes === 'number' && { limit }),
    };
  } catch {
    return undefined;
  }
}

function blamedBy(code: string): Refusal['blames'] {
  if (TOO_MUCH.has(code)) return 'all';
  return code.startsWith('matcher') ? 'one' : undefined;
}

async function textOf(body: Response['body']): Promise<string> {
  if (!body) return '';
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes: Uint8Array | undefined;
  // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
  while (text.length <= LONGEST && (bytes = (await reader.read()).value))
    text += decoder.decode(bytes, { stream: true });
  void reader.cancel();
  return text;
}
