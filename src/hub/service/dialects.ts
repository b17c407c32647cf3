import { parseForm } from './form.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';

/** The protocol as it is now (draft-dunglas-mercure-08), or as most deployed clients speak it (0.x). */
export type Dialect = 'current' | 'legacy';

/** A request as far as its dialect is concerned. */
export interface DialectRequest {
  readonly url: string;
}

const QUERY_LIMITS = { maxPairs: HUB_LIMITS.subscribePairs, overflow: 'parameters-too-many' } as const;

/**
 * Which dialect a request speaks, told by the parameters of its query: `topic` is the 0.x dialect's, whatever starts with
 * `match` the current one's. Undefined where nothing tells, as in a publication. Without `legacy` there is only one.
 */
export function dialectOf({ url }: DialectRequest, { legacy }: { readonly legacy: boolean }): Dialect | undefined {
  if (!legacy) return 'current';
  const start = url.indexOf('?');
  if (start === -1) return undefined;
  const names = parseForm(url.slice(start + 1), QUERY_LIMITS).map(([name]) => name);
  if (names.some((name) => name.slice(0, 5).toLowerCase() === 'match')) return 'current';
  return names.includes('topic') ? 'legacy' : undefined;
}
