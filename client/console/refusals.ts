import { signal } from '@preact/signals';

/** Why the hub does not serve a topic to this reader. */
export interface Refusal {
  readonly status: number;
  /** The hub's own word for it, if it gave one. */
  readonly code: string | undefined;
}

/** Asks the hub for a stream with this query, by this method. */
type Ask = (query: string, method: 'HEAD' | 'GET') => Promise<Response>;

/**
 * Which topics are refused, and why. A stream is asked for with all of them at once, and refused as a whole: so each one
 * is asked for by itself then.
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

  /** The hub has answered the request for a stream with all of these. */
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
    // Without a stream where there is nothing to be said against this one, and with a reason where there is.
    const head = await this.ask(query, 'HEAD').catch(() => undefined);
    if (!head || !isRefusal(head.status)) return undefined;
    const answer = await this.ask(query, 'GET').catch(() => undefined);
    // Somebody has put it right meanwhile.
    if (answer?.ok) return void answer.body?.cancel();
    return { status: head.status, code: answer && (await codeOf(answer)) };
  }
}

/** What may pass by itself is none. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

/** What a refusal of the hub has as its code (RFC 9457); somebody else's may have none. */
async function codeOf(response: Response): Promise<string | undefined> {
  const problem = (await response.json().catch(() => undefined)) as { code?: unknown } | null | undefined;
  return typeof problem?.code === 'string' ? problem.code : undefined;
}

function split(matcher: string): [name: string, value: string] {
  const at = matcher.indexOf('=');
  return [matcher.slice(0, at), matcher.slice(at + 1)];
}
