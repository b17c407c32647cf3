import type { JSX } from 'preact';
import { HeraldError } from '../lib/index.js';
import { English } from './english.js';
import { isAboutToken, type Refusal } from './problem-kinds.js';
import { problemsEn, type ProblemKey } from './texts-problems.js';
import { formatDuration, t } from './translation.js';

/** What a sentence about a problem depends on beside the problem. */
export interface Circumstances {
  /** Whether the request had no token. */
  readonly isAnonymous?: boolean;
  /** Milliseconds that the hub has asked to wait. */
  readonly wait?: number;
}

interface ProblemProps extends Circumstances {
  readonly error: unknown;
}

/** What has gone wrong, in the reader's language, with the hub's own words behind it, which are English. */
export function ProblemText({ error, ...circumstances }: ProblemProps): JSX.Element {
  const detail = detailOf(error);
  return (
    <>
      {sentenceFor(error, circumstances)}
      {detail !== undefined && (
        <>
          {' '}
          <English text={detail} />
        </>
      )}
    </>
  );
}

/** What has gone wrong, and what to do, as a sentence in the reader's language. */
export function sentenceFor(error: unknown, { isAnonymous = false, wait = 0 }: Circumstances = {}): string {
  if (!isRefusal(error)) return t('problem_other');
  const status = String(error.status ?? '');
  const sentence = t(keyFor(error, isAnonymous), { status });
  return wait > 0 ? `${sentence} ${t('problem_wait', { duration: formatDuration(wait) })}` : sentence;
}

/** The words of the hub, or those of an error for which there is no sentence. */
export function detailOf(error: unknown): string | undefined {
  const detail = isRefusal(error) ? error.problem?.detail : undefined;
  const hasSentence = isRefusal(error) && keyFor(error, false) !== 'problem_other';
  return detail ?? (hasSentence || !(error instanceof Error) ? undefined : error.message);
}

function isRefusal(error: unknown): error is Refusal {
  return error instanceof HeraldError || (typeof error === 'object' && error !== null && 'status' in error);
}

function keyFor(refusal: Refusal, isAnonymous: boolean): ProblemKey {
  const { code, status = 0, problem } = refusal;
  const byHub = `hub_${problem?.code}`;
  if (isAboutToken(refusal) && isAnonymous) return 'problem_anonymous';
  if (isKey(byHub)) return byHub;
  if (isAboutToken(refusal)) return 'problem_token';
  if (status === 429) return 'problem_tooMany';
  // The hub says why where it answers itself.
  if (status >= 500) return problem?.code === undefined ? 'problem_gateway' : 'problem_busy';
  const byClient = `problem_${code}`;
  return isKey(byClient) ? byClient : 'problem_other';
}

function isKey(key: string): key is ProblemKey {
  return Object.hasOwn(problemsEn, key);
}
