import { createHash } from 'node:crypto';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import { type Matcher, matcherKey } from '../matching/matcher.js';

/** A matcher of a stream, and what others are shown with it (R63). */
export interface ShownMatcher {
  readonly matcher: Matcher;
  readonly payload?: object | undefined;
}

/** The details of a lease, as JSON in the shared state. */
interface LeaseDetails {
  readonly matchers: readonly {
    readonly matcher: Matcher;
    /** The index of its payload. */
    readonly shown?: number;
    /** Earlier versions have the payload itself in its place. */
    readonly payload?: object;
  }[];
  /** Each once, because the matchers of a stream mostly have the same one. */
  readonly payloads?: readonly object[];
}

/** What a stream's lease has to say of it. */
export interface DescribedStream {
  /** For {@link matchersIn}. */
  readonly details: string;
  /**
   * The key by which a client that resumes is recognised. It has the issuer, because a subject is somebody only together
   * with its issuer, and the payloads, because a subscriber with another payload is another one. It is hashed, because a
   * hundred matchers with their payloads would be too long.
   */
  readonly key: string;
}

/** @param address stands for a reader without a subject. */
export function describeStream(interest: Interest, grants: Grants, address: string): DescribedStream {
  const payloads: object[] = [];
  const texts: string[] = [];
  const matchers = interest.matchers.map((matcher) => {
    const payload = grants.payloadFor?.(matcher.pattern);
    if (!payload) return { matcher };
    const known = payloads.indexOf(payload);
    if (known !== -1) return { matcher, shown: known };
    texts.push(JSON.stringify(payload));
    return { matcher, shown: payloads.push(payload) - 1 };
  });
  const { issuer = '', subject } = grants;
  const who = subject === undefined ? { address } : { issuer, subject };
  const digests = texts.map(digestOf);
  const what = matchers.map(({ matcher, shown = -1 }) => `${digests[shown] ?? ''} ${matcherKey(matcher)}`);
  const details: LeaseDetails = { matchers, payloads };
  return { details: JSON.stringify(details), key: digestOf(JSON.stringify([who, what.toSorted()])) };
}

/** The matchers that a lease's details have. All that show the same payload have the same object. */
export function matchersIn(details: string): readonly ShownMatcher[] {
  const { matchers, payloads = [] } = JSON.parse(details) as LeaseDetails;
  return matchers.map(({ matcher, shown = -1, payload = payloads[shown] }) => ({ matcher, payload }));
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
