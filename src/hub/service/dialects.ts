import type { Claims } from '../../access/caller.js';
import { LEGACY_DIALECT } from '../legacy/legacy-dialect.js';
import { LEGACY_TOKENS } from '../legacy/legacy-tokens.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { CURRENT_DIALECT } from '../protocol/current-dialect.js';
import type { Dialect, DialectTokens } from '../protocol/dialect.js';
import { parseForm } from '../protocol/form.js';

export interface DialectOptions {
  /** Whether the 0.x dialect is served as well. */
  readonly legacy: boolean;
}

const QUERY_LIMITS = { maxPairs: HUB_LIMITS.subscribePairs, overflow: 'parameters-too-many' } as const;

/** The dialects that are served, the current one first. */
export function dialectsOf({ legacy }: DialectOptions): readonly Dialect[] {
  return legacy ? [CURRENT_DIALECT, LEGACY_DIALECT] : [CURRENT_DIALECT];
}

/**
 * The dialect of a request, by the parameters of its query. Undefined where these do not tell, as in a publication.
 * Where only one dialect is served, it is that one.
 */
export function dialectOf({ url }: { readonly url: string }, options: DialectOptions): Dialect | undefined {
  if (!options.legacy) return CURRENT_DIALECT;
  const start = url.indexOf('?');
  if (start === -1) return undefined;
  const names = parseForm(url.slice(start + 1), QUERY_LIMITS).map(([name]) => name);
  return dialectsOf(options).find((dialect) => dialect.isSpokenWith(names));
}

/** Tokens other than the current protocol's that a request may bring: none with a request in the current dialect. */
export function otherTokensOf(request: { readonly url: string }, options: DialectOptions): DialectTokens | undefined {
  return dialectOf(request, options) === CURRENT_DIALECT ? undefined : dialectTokens(options);
}

/** Tokens other than the current protocol's that the hub accepts, if any. */
export function dialectTokens(options: DialectOptions): DialectTokens | undefined {
  return dialectsOf(options).find(({ tokens }) => tokens)?.tokens;
}

/** Whether these claims, which are not verified yet, are those of a dialect's own token, be it served or not. */
export function isOfOtherDialect(claims: Claims): boolean {
  return LEGACY_TOKENS.hasClaim(claims);
}

/** The dialect of an answer to a caller with these grants, where the request itself does not tell. */
export function dialectFor({ isLegacy = false }: { readonly isLegacy?: boolean }): Dialect {
  return isLegacy ? LEGACY_DIALECT : CURRENT_DIALECT;
}
