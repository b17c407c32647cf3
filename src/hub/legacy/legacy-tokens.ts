import { z } from 'zod';
import { callerOf, type Claims } from '../../access/caller.js';
import { type Grants, ownGrants } from '../../access/grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Interest } from '../matching/interest.js';
import type { DialectTokens } from '../protocol/dialect.js';
import { matcherOfSelector } from './selector.js';

/** As many selectors as a token of the current protocol may have matchers. */
const MAX_SELECTORS = 100;

/** The claim's two names. The one with a namespace comes from issuers that allow no others (Auth0). */
const CLAIMS = ['mercure', 'https://mercure.rocks/'] as const;

const claimSchema = z.object({
  publish: z.array(z.string()).max(MAX_SELECTORS).nullish(),
  subscribe: z.array(z.string()).max(MAX_SELECTORS).nullish(),
  payload: z.unknown().optional(),
});

/** A token of 0.x may be part of the URL, and has the claim `mercure` in place of `authorization_details`. */
export const LEGACY_TOKENS: DialectTokens = {
  parameter: 'authorization',
  cookie: 'mercureAuthorization',
  hasClaims,
  grantsOf,
};

function hasClaims(claims: Claims): boolean {
  return claims['authorization_details'] === undefined && CLAIMS.some((name) => claims[name] !== undefined);
}

/** What the claim allows (draft-dunglas-mercure-07, section 6). */
function grantsOf(claims: Claims, hubUrl: URL): Grants {
  const parsed = claimSchema.safeParse(claims[CLAIMS[0]] ?? claims[CLAIMS[1]]);
  if (!parsed.success) throw new HubError('token-invalid', 'The "mercure" claim of the token is malformed.');
  const publish = interestOf(parsed.data.publish, hubUrl);
  const read = interestOf(parsed.data.subscribe, hubUrl);
  const { payload } = parsed.data;
  return ownGrants({
    ...callerOf(claims),
    isLegacy: true,
    canPublish: (topics) => publish.includesAll(topics),
    canRead: (topics) => read.includes(topics),
    readKey: `token ${read.key}`,
    weight: publish.weight + read.weight,
    payloadFor: () => (typeof payload === 'object' && payload !== null ? payload : undefined),
  });
}

function interestOf(selectors: readonly string[] | null | undefined, hubUrl: URL): Interest {
  try {
    return new Interest((selectors ?? []).map(matcherOfSelector), hubUrl);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new HubError('token-invalid', 'A selector in the "mercure" claim of the token is not valid.');
  }
}
