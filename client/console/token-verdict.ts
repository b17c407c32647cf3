import type { UrlPatternConstructor } from '../lib/index.js';
import type { Grant, TokenFacts } from './token-claims.js';

/** Why a token may do something with a topic, or may not; the name of the sentence that says so. */
type VerdictReason =
  | `read_${'granted' | 'public' | 'anonymous'}`
  | `publish_${'granted' | 'missing' | 'anonymous' | 'reserved'}`
  | `token_${'expired' | 'early' | 'unreadable' | 'audience' | 'undecided'}`;

export interface Verdict {
  readonly isAllowed: boolean;
  readonly reason: VerdictReason;
  /** What in the token decides. */
  readonly by?: Grant;
}

/** What is asked about a topic, and by whom. */
export interface Question {
  readonly topic: string;
  /** What the token says; `none` where there is no token, undefined where it can't be read. */
  readonly facts: TokenFacts | 'none' | undefined;
  /** The hub as tokens name it, which topics and patterns are relative to. */
  readonly resource: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The path of the hub. Default: that of the protocol. */
  readonly hubPath?: string;
  /** Undefined on platforms without. */
  readonly UrlPattern: UrlPatternConstructor | undefined;
}

/** Whether private updates with the topic may be read (R61), as far as a page can tell. */
export function mayRead(question: Question): Verdict {
  const { facts } = question;
  if (facts === 'none') return no('read_anonymous');
  const flaw = flawOf(question);
  if (flaw || !facts) return no(flaw ?? 'token_unreadable');
  return decide(facts.reads, question, ['read_granted', 'read_public']);
}

/** Whether updates with the topic may be published (R60, R30), as far as a page can tell. */
export function mayPublish(question: Question): Verdict {
  const { facts, topic } = question;
  if (facts === 'none') return no('publish_anonymous');
  const flaw = flawOf(question);
  if (flaw || !facts) return no(flaw ?? 'token_unreadable');
  if (topic === '*' || isOwn(question)) return no('publish_reserved');
  return decide(facts.publishes, question, ['publish_granted', 'publish_missing']);
}

/** What is wrong with a token, whatever the topic. */
function flawOf({ facts, resource, now }: Question): VerdictReason | undefined {
  if (!facts || facts === 'none') return 'token_unreadable';
  if (facts.expiresAt !== undefined && facts.expiresAt <= now) return 'token_expired';
  if (facts.validFrom !== undefined && facts.validFrom > now) return 'token_early';
  return facts.isOf0x || facts.audiences.includes(resource) ? undefined : 'token_audience';
}

function decide(
  grants: readonly Grant[],
  question: Question,
  [granted, missing]: readonly [VerdictReason, VerdictReason],
): Verdict {
  const covering = grants.find((grant) => covers(grant, question) === true);
  if (covering) return { isAllowed: true, reason: granted, by: covering };
  const unclear = grants.find((grant) => covers(grant, question) === undefined);
  return unclear ? { isAllowed: false, reason: 'token_undecided', by: unclear } : no(missing);
}

/** Whether a grant has a topic (R22–R26). Undefined where the page can't tell. */
function covers({ kind, text }: Grant, { topic, resource, UrlPattern }: Question): boolean | undefined {
  if (text === '*' || text === topic) return true;
  if (kind === 'exact') return false;
  if (kind === 'template' || !UrlPattern) return undefined;
  try {
    return new UrlPattern(text, resource).test(topic, resource);
  } catch {
    return undefined;
  }
}

/** Whether a topic is in the hub's own namespace, where it alone publishes. */
function isOwn({ topic, resource, hubPath = '/.well-known/mercure' }: Question): boolean {
  if (!URL.canParse(topic, resource)) return false;
  const { origin, pathname } = new URL(topic, resource);
  return origin === new URL(resource).origin && `${pathname}/`.startsWith(`${hubPath}/`);
}

function no(reason: VerdictReason): Verdict {
  return { isAllowed: false, reason };
}
