import type { HeraldClientOptions } from '../api.js';

/**
 * Identifies the reader, to tell one person's tabs from another's; undefined where that is unknown. Nothing is trusted
 * because of it: the hub decides by the token who may read what.
 */
export async function subjectOf({ subject, token, cookies }: HeraldClientOptions): Promise<string | undefined> {
  if (subject !== undefined) return `as ${subject}`;
  if (!token) return cookies ? undefined : 'anonymous';
  const claimed = claimOf(await token({ reason: 'initial', signal: new AbortController().signal }));
  return claimed === undefined ? undefined : `as ${claimed}`;
}

/** The `sub` of a JWT, whose bytes are not decoded as UTF-8: it is only compared, never shown. */
function claimOf(token: string): string | undefined {
  try {
    const [, payload = ''] = token.replaceAll('-', '+').replaceAll('_', '/').split('.');
    const { sub } = JSON.parse(atob(payload)) as { readonly sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
