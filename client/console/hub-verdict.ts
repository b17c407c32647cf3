import { ADMIN_PATH, hasAdmin, HUB_PATH, HUB_URL, METADATA_PATH } from '../src/page-places.js';
import type { Topic } from './address.js';
import { tokenFor } from './identity.js';
import { matcherOf, type Session } from './session.js';
import { factsOf } from './token-claims.js';
import { subjectOf } from './token-subject.js';
import { t } from './translation.js';

/** What the hub itself says about a topic and this reader. */
export interface HubVerdict {
  readonly reading: string;
  /** Undefined where there is no token to publish with. */
  readonly publishing: string | undefined;
  /** Whether the newest updates reached the reader, and why not: where the page may ask as an administrator. */
  readonly delivered: readonly string[];
}

/** The most explanations that are shown. */
const MOST = 5;

/** The hub as tokens must name it (RFC 9728), or its address where it does not tell. */
export async function resourceOfHub(session: Session): Promise<string> {
  const answer = await session.ask(METADATA_PATH).catch(() => undefined);
  const metadata = answer?.ok ? ((await answer.json().catch(() => ({}))) as { resource?: unknown }) : {};
  return typeof metadata.resource === 'string' ? metadata.resource : HUB_URL;
}

/** Asks the hub by requests that change nothing. */
export async function askHub(session: Session, topic: Topic): Promise<HubVerdict> {
  const [reading, publishing, delivered] = await Promise.all([
    askReading(session, topic),
    askPublishing(session),
    askDelivered(session, topic.text),
  ]);
  return { reading, publishing, delivered };
}

async function askReading(session: Session, topic: Topic): Promise<string> {
  const query = new URLSearchParams([matcherOf(topic), ['limit', '1']]);
  const answer = await session.ask(`${HUB_PATH}/history?${query.toString()}`).catch(() => undefined);
  if (!answer) return t('whyHubAway');
  if (answer.ok) return t(session.identity.value?.token ? 'whyHubReads' : 'whyHubReadsAnonymous');
  return reasonIn(answer);
}

/** The token is checked before the update, and one without a topic is never published. */
async function askPublishing(session: Session): Promise<string | undefined> {
  const token = tokenFor('publish', session.identity.value ?? {});
  if (!token) return undefined;
  const headers = { authorization: `Bearer ${token}` };
  const body = new URLSearchParams();
  const answer = await fetch(HUB_URL, { method: 'POST', headers, body, cache: 'no-store' }).catch(() => undefined);
  if (!answer) return t('whyHubAway');
  return answer.status === 400 ? t('whyHubPublishes') : reasonIn(answer);
}

async function askDelivered(session: Session, topic: string): Promise<readonly string[]> {
  if (!hasAdmin) return [];
  const identity = session.identity.value ?? {};
  const subject = subjectOf(identity.token);
  if (subject === undefined || !factsOf(tokenFor('admin', identity) ?? '')?.isAdmin) return [];
  const query = new URLSearchParams({ topic, subject });
  const answer = await session.ask(`${ADMIN_PATH}/explain?${query.toString()}`).catch(() => undefined);
  if (!answer?.ok) return answer ? [await reasonIn(answer)] : [];
  const { explanations } = (await answer.json()) as { explanations: { summary: string; update?: { id?: string } }[] };
  return explanations.slice(0, MOST).map(({ summary, update }) => (update?.id ? `${update.id}: ${summary}` : summary));
}

/** Why the hub refuses (RFC 9457), or its status. */
async function reasonIn(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => undefined)) as
    { code?: unknown; detail?: unknown } | null | undefined;
  const parts = [problem?.code, problem?.detail].filter((part) => typeof part === 'string');
  return [String(answer.status), ...parts].join(' ');
}
