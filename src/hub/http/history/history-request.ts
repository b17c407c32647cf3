import { HubError } from '../../../access/hub.errors.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { type FormPair, parseForm } from '../../protocol/form.js';

/** What a request for the history asks for besides its matchers. */
export interface HistoryParameters {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly limit?: number | undefined;
}

/**
 * The parameters of a request for the history, each of which may be there once.
 * @throws HubError `parameter-invalid`
 */
export function parseHistory(query: string, body?: Uint8Array): HistoryParameters {
  const limits = { maxPairs: HUB_LIMITS.subscribePairs, overflow: 'parameters-too-many' } as const;
  const pairs = parseForm(query, limits);
  if (body !== undefined) pairs.push(...parseForm(body, limits));
  return {
    after: only(pairs, 'after'),
    before: only(pairs, 'before'),
    order: orderOf(only(pairs, 'order')),
    limit: limitOf(only(pairs, 'limit')),
  };
}

function only(pairs: readonly FormPair[], name: string): string | undefined {
  const values = pairs.filter(([one]) => one === name);
  if (values.length > 1) throw new HubError('parameter-invalid', `"${name}" may be given once.`);
  return values[0]?.[1];
}

function orderOf(given: string | undefined): 'asc' | 'desc' | undefined {
  if (given === undefined || given === 'asc' || given === 'desc') return given;
  throw new HubError('parameter-invalid', '"order" must be "asc" for the oldest first or "desc" for the newest first.');
}

function limitOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const limit = /^[0-9]{1,4}$/.test(given) ? Number(given) : 0;
  const most = HUB_LIMITS.history.updates;
  if (limit >= 1 && limit <= most) return limit;
  throw new HubError('parameter-invalid', `"limit" must be a number of updates, from 1 to ${most}.`);
}
