import { z } from 'zod';
import { callerOf, type Claims } from '../../access/caller.js';
import { type Grants, ownGrants } from '../../access/grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Interest } from '../matching/interest.js';
import type { DialectTokens } from '../protocol/dialect.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import type { Matcher } from '../matching/matcher.js';
import { uriTemplateCost } from '../matching/uri-template.js';
import { matcherOfSelector } from './selector.js';

/** As many selectors as a subscription of the dialect may have. */
const MAX_SELECTORS = HUB_LIMITS.selectors.count;

/** What the URI Templates of a claim's list may cost together: as much as a hundred of the costliest. */
const MAX_COST = 48_000;

/** The `typ` of the current protocol's tokens (RFC 9068, 2.1). */
const ACCESS_TOKEN = 'at+jwt';

/** The claim's two names. The one with a namespace comes from issuers that allow no others (Auth0). */
const CLAIMS = ['mercure', 'https://mercure.rocks/'] as const;

const claimSchema = z
  .object({
    publish: z.array(z.string()).max(MAX_SELECTORS).nullish(),
    subscribe: z.array(z.string()).max(MAX_SELECTORS).nullish(),
    payload: z.unknown().optional(),
  })
  // A token without the claim is good for public updates.
  .default({});

/** A token of 0.x may be part of the URL, and has the claim `mercure` in place of `authorization_details`. */
export const LEGACY_TOKENS: DialectTokens = {
  parameter: 'authorization',
  cookie: 'mercureAuthorization',
  hasClaim,
  isOurs: (claims, type) =>
    hasClaim(claims) || (type !== ACCESS_TOKEN && claims['authorization_details'] === undefined),
  grantsInSteps,
};

function hasClaim(claims: Claims): boolean {
  return claims['authorization_details'] === undefined && CLAIMS.some((name) => claims[name] !== undefined);
}

/** What the claim allows (draft-dunglas-mercure-07, section 6), in steps of one selector each. */
function* grantsInSteps(claims: Claims, hubUrl: URL): Generator<void, Grants> {
  const parsed = claimSchema.safeParse(claims[CLAIMS[0]] ?? claims[CLAIMS[1]]);
  if (!parsed.success) throw new HubError('token-invalid', 'The "mercure" claim of the token is malformed.');
  const publish = yield* interestOf(parsed.data.publish, hubUrl);
  const read = yield* interestOf(parsed.data.subscribe, hubUrl);
  const { payload } = parsed.data;
  return ownGrants({
    ...callerOf(claims),
    isLegacy: true,
    canPublish: (topics) => publish.includesAll(topics),
    canRead: (topics) => read.includes(topics),
    readKey: `token ${read.key}`,
    readMatchers: read.matchers,
    weight: publish.weight + read.weight,
    payloadFor: () => (typeof payload === 'object' && payload !== null ? payload : undefined),
  });
}

function* interestOf(selectors: readonly string[] | null | undefined, hubUrl: URL): Generator<void, Interest> {
  try {
    const matchers = (selectors ?? []).map(matcherOfSelector);
    if (matchers.reduce((sum, matcher) => sum + costOf(matcher), 0) > MAX_COST) throw broken();
    return yield* new Interest(matchers, hubUrl).prepare();
  } catch (error) {
    throw error instanceof HubError ? broken() : error;
  }
}

function costOf({ type, pattern }: Matcher): number {
  return type === 'uritemplate' ? uriTemplateCost(pattern) : 0;
}

function broken(): HubError {
  return new HubError(
    'token-invalid',
    'The selectors in the "mercure" claim of the token are malformed or too costly.',
  );
}
