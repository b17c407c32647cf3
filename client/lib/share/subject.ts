import type { HeraldClientOptions } from '../api.js';

/**
 * Who reads, to tell one person's tabs from another's; undefined where that can't be told. Nothing is trusted that this
 * says: the hub decides by the token who may read what.
 */
export async function subjectOf({ subject, token, cookies }: HeraldClientOptions): Promise<string | undefined> {
  if (subject !== undefined) return `as ${subject}`;
  if (!token) return cookies ? undefined : 'anonymous';
  const claimed = claimOf(await token({ reason: 'initial', signal: new AbortController().signal }));
  return claimed === undefined ? undefined : `as ${claimed}`;
}

/** The `sub` of a JWT, byte by byte: to be compared and not to be read. */
function claimOf(token: string): string | undefined {
  try {
    const [, payload = ''] = token.replaceAll('-', '+').replaceAll('_', '/').split('.');
    const { sub } = JSON.parse(atob(payload)) as { readonly sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
