import { signal } from '@preact/signals';

/** Why the hub does not serve a topic to this reader. */
export interface Refusal {
  readonly status: number;
  /** The code in the hub's answer, if it has one. */
  readonly code: string | undefined;
}

/** Asks the hub for a stream with this query, by this method. */
type Ask = (query: string, method: 'HEAD' | 'GET') => Promise<Response>;

/**
 * Which topics are refused, and why. The hub refuses a stream of several topics as a whole, so then each topic is asked
 * for by itself.
 */
export class Refusals {
  /** By the matcher, `name=value`. */
  readonly reasons = signal<ReadonlyMap<string, Refusal>>(new Map());

  constructor(private readonly ask: Ask) {}

  clear(): void {
    this.reasons.value = new Map();
  }

  reasonFor(matcher: readonly [name: string, value: string]): Refusal | undefined {
    return this.reasons.value.get(matcher.join('='));
  }

  /** Takes note of the status of the hub's answer to a request for a stream with all these matchers. */
  async note(matchers: readonly string[], status: number): Promise<void> {
    const reasons = await Promise.all(matchers.map((matcher) => this.reasonOf(matcher, status)));
    const all = new Map(this.reasons.value);
    for (const [index, matcher] of matchers.entries()) {
      const reason = reasons[index];
      if (reason) all.set(matcher, reason);
      else all.delete(matcher);
    }
    this.reasons.value = all;
  }

  private async reasonOf(matcher: string, status: number): Promise<Refusal | undefined> {
    if (!isRefusal(status)) return undefined;
    const query = new URLSearchParams([split(matcher)]).toString();
    // HEAD comes first, as it opens no stream where the topic is allowed. The answer to GET has the reason.
    const head = await this.ask(query, 'HEAD').catch(() => undefined);
    if (!head || !isRefusal(head.status)) return undefined;
    const answer = await this.ask(query, 'GET').catch(() => undefined);
    // The topic is allowed by now.
    if (answer?.ok) return void answer.body?.cancel();
    return { status: head.status, code: answer && (await codeOf(answer)) };
  }
}

/** Whether a status is a refusal. A failure that may pass by itself is none. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

/** The code of a refusal by the hub (RFC 9457). Answers of others may have none. */
async function codeOf(response: Response): Promise<string | undefined> {
  const problem = (await response.json().catch(() => undefined)) as { code?: unknown } | null | undefined;
  return typeof problem?.code === 'string' ? problem.code : undefined;
}

function split(matcher: string): [name: string, value: string] {
  const at = matcher.indexOf('=');
  return [matcher.slice(0, at), matcher.slice(at + 1)];
}
