/** The hub's codes for what another token would mend. */
const TOKEN_CODES = new Set<string | undefined>([
  'unauthorized',
  'token-malformed',
  'token-invalid',
  'token-revoked',
  'session-invalid',
  'session-forbidden',
  'insufficient-scope',
]);

/** What is known of an answer that is no success. */
export interface Refusal {
  readonly code: string;
  readonly status?: number | undefined;
  readonly problem?: { readonly code?: string | undefined; readonly detail?: string | undefined } | undefined;
}

/** Whether another token would help. */
export function isAboutToken(refusal: Refusal | undefined): boolean {
  return refusal !== undefined && (refusal.code === 'unauthorized' || TOKEN_CODES.has(refusal.problem?.code));
}

/** Whether it is of use to ask the same once more: the hub itself has not refused it for good. */
export function isWorthRetrying(error: Refusal | undefined): boolean {
  return !isAboutToken(error) && !(error?.code === 'refused' && error.problem?.code !== undefined);
}

/** Whether the hub refuses what was asked for to whoever asks with this token, or at all. */
export function isRefusedForGood(error: unknown): error is Refusal {
  const { status = 0 } = (error ?? {}) as Partial<Refusal>;
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** What an answer to a request of the page's own says (RFC 9457). */
export async function refusalOf(response: Response): Promise<Refusal> {
  const { status } = response;
  const answer = (await response.json().catch(() => undefined)) as { code?: unknown; detail?: unknown } | undefined;
  const { code, detail } = answer ?? {};
  const problem = {
    ...(typeof code === 'string' && { code }),
    ...(typeof detail === 'string' && { detail }),
  };
  const kind = status === 401 ? 'unauthorized' : status >= 500 || status === 429 ? 'busy' : 'refused';
  return { code: kind, status, problem };
}
