import { z } from 'zod';
import type { Claims } from '../../access/caller.js';
import { HubError } from '../../access/hub.errors.js';
import { DETAIL_TYPE } from '../tokens/token-grants.js';

/** Seconds for which an answer may be remembered at most. */
const LONGEST_MEMORY = 60;

/** Characters of a reason that are passed on. */
const LONGEST_REASON = 200;

/** What the application says of who sent a request. */
export type Verdict =
  | { readonly kind: 'granted'; readonly claims: Claims }
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'refused'; readonly refusal: HubError };

/** The application's answer can't be used. The message says what it must be, for the log. */
export class ApplicationAnswerError extends Error {
  override readonly name = 'ApplicationAnswerError';
}

const matcherSchema = z.union([
  z.string().transform((match) => ({ match, match_type: 'exact' as const })),
  z.object({ match: z.string(), match_type: z.enum(['exact', 'urlpattern']).default('exact') }),
]);

const answerSchema = z.object({
  sub: z.string().min(1).max(1_000).optional(),
  subscribe: z.array(matcherSchema).default([]),
  publish: z.array(matcherSchema).default([]),
  payload: z.record(z.string(), z.unknown()).optional(),
  exp: z.number().positive().optional(),
});

const reasonSchema = z.object({ detail: z.string() });

/**
 * Reads the application's answer: 200 with what is granted, 204 for nobody in particular, 401 or 403 with a reason.
 * @param askedAt when it was asked, in milliseconds since the epoch.
 * @throws {ApplicationAnswerError} for any other
 */
export function verdictOf(status: number, body: string, askedAt: number): Verdict {
  if (status === 204) return { kind: 'anonymous' };
  if (status === 401) return { kind: 'refused', refusal: new HubError('session-invalid', reasonIn(body)) };
  if (status === 403) return { kind: 'refused', refusal: new HubError('session-forbidden', reasonIn(body)) };
  if (status !== 200) throw new ApplicationAnswerError(`it answered ${status}, and must answer 200, 204, 401 or 403`);
  const parsed = answerSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.');
    throw new ApplicationAnswerError(`its answer is not as it must be${where ? `, in "${where}"` : ''}`);
  }
  return { kind: 'granted', claims: claimsOf(parsed.data, askedAt) };
}

/** The same as the claims of a token, so that both grant alike. */
function claimsOf({ sub, exp, subscribe, publish, payload }: z.output<typeof answerSchema>, askedAt: number): Claims {
  const details = [
    { type: DETAIL_TYPE, actions: ['subscribe'], topics: subscribe, ...(payload && { payload }) },
    { type: DETAIL_TYPE, actions: ['publish'], topics: publish },
  ];
  return {
    ...(sub !== undefined && { sub }),
    ...(exp !== undefined && { exp }),
    iat: askedAt / 1_000,
    authorization_details: details.filter(({ topics }) => topics.length > 0),
  };
}

/** The reason that a refusal gives in its `detail` (RFC 9457), as one short line. */
function reasonIn(body: string): string {
  const parsed = reasonSchema.safeParse(parseJson(body));
  const reason = parsed.success ? parsed.data.detail.replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST_REASON) : '';
  return reason || 'The application does not let this request in: log in, and try again.';
}

/** Milliseconds for which an answer may be remembered: what its `Cache-Control` allows, and no more than a minute. */
export function memoryOf(cacheControl: string | null): number {
  if (cacheControl === null || /\bno-(?:store|cache)\b/i.test(cacheControl)) return 0;
  const seconds = Number(/\bmax-age="?(\d{1,9})/i.exec(cacheControl)?.[1] ?? 0);
  return Math.min(seconds, LONGEST_MEMORY) * 1_000;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
