import { z } from 'zod';
import { callerOf, type Claims } from '../../access/caller.js';
import { type Grants, ownGrants } from '../../access/grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Interest } from '../../hub/matching/interest.js';
import { type Matcher, parseMatcher } from '../../hub/matching/matcher.js';
import { allAtOnce } from '../../shared/background.js';

/** The type of the authorization details (RFC 9396) that are meant for the hub (R55). */
export const DETAIL_TYPE = 'https://mercure.rocks/authorization-detail';

/** The most details of a token, and the most matchers of all its details together (R57). */
const LARGEST_TOKEN = 100;

const matcherSchema = z.object({ match: z.string(), match_type: z.enum(['exact', 'urlpattern']).default('exact') });

const detailSchema = z.object({
  actions: z.array(z.string()).min(1),
  topics: z.array(matcherSchema).min(1),
  payload: z.record(z.string(), z.unknown()).optional(),
});

/** A detail whose matchers have been checked. */
interface Detail {
  readonly actions: readonly string[];
  readonly matchers: readonly Matcher[];
  readonly payload?: object | undefined;
}

/**
 * What the verified claims of a token allow (R55–R58).
 * @throws {HubError} `token-invalid` when any of its details of our type is broken: a token counts whole or not at all.
 */
export function grantsOf(claims: Claims, hubUrl: URL): Grants {
  return allAtOnce(grantsInSteps(claims, hubUrl));
}

/** The same in steps of one pattern each, because compiling a pattern may take some milliseconds. */
export function* grantsInSteps(claims: Claims, hubUrl: URL): Generator<void, Grants> {
  const details = yield* ourDetails(claims['authorization_details'], hubUrl);
  const publish = interestOf(withAction(details, 'publish'), hubUrl);
  const read = interestOf(withAction(details, 'subscribe'), hubUrl);
  const admin = interestOf(withAction(details, 'admin'), hubUrl);
  const payloads = withAction(details, 'subscribe').map((detail) => ({
    matched: interestOf([detail], hubUrl),
    payload: detail.payload,
  }));
  return ownGrants({
    ...callerOf(claims),
    canPublish: (topics) => publish.includesAll(topics),
    canRead: (topics) => read.includes(topics),
    readKey: `token ${read.key}`,
    readMatchers: read.matchers,
    isAdmin: admin.matchers.length > 0,
    // What matches payloads shares its patterns with `read`.
    weight: publish.weight + read.weight + admin.weight,
    // R63: the payload of the first detail that matches the matcher's own text, taken as a topic.
    payloadFor: (matcher) => payloads.find(({ matched }) => matched.includes([matcher]))?.payload,
  });
}

function* ourDetails(given: unknown, hubUrl: URL): Generator<void, Detail[]> {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length > LARGEST_TOKEN) throw broken();
  const ours = given.filter((detail: unknown) => isObject(detail) && detail['type'] === DETAIL_TYPE);
  const parsed = z.array(detailSchema).safeParse(ours);
  if (!parsed.success) throw broken();
  if (parsed.data.reduce((sum, { topics }) => sum + topics.length, 0) > LARGEST_TOKEN) throw broken();
  // Matchers of all details are parsed, also where no action is known: a broken one rejects the whole token (R57).
  const details: Detail[] = [];
  for (const { actions, payload, topics } of parsed.data) {
    const matchers: Matcher[] = [];
    for (const { match, match_type } of topics) {
      matchers.push(toMatcher(match, match_type, hubUrl));
      if (match_type === 'urlpattern') yield;
    }
    details.push({ actions, payload, matchers });
  }
  return details;
}

/** Actions that the hub doesn't know grant nothing, and harm nothing (R55). */
function withAction(details: readonly Detail[], action: string): Detail[] {
  return details.filter(({ actions }) => actions.includes(action));
}

function interestOf(details: readonly Detail[], hubUrl: URL): Interest {
  return new Interest(
    details.flatMap(({ matchers }) => matchers),
    hubUrl,
  );
}

function toMatcher(match: string, type: 'exact' | 'urlpattern', hubUrl: URL): Matcher {
  try {
    return parseMatcher(type, match, hubUrl);
  } catch (error) {
    throw error instanceof HubError ? broken() : error;
  }
}

function broken(): HubError {
  return new HubError('token-invalid', "The token's authorization details are malformed or exceed the limits.");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
