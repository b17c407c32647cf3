import { effect, signal } from '@preact/signals';
import { pretty } from './exports.js';
import type { LogMessage } from './message-log.js';
import type { Sending, Session } from './session.js';

/** What the form holds. */
export interface Draft {
  /** One a line; the first is the canonical one. */
  readonly topics: string;
  readonly type: string;
  readonly id: string;
  /** Milliseconds; empty for what the hub says. */
  readonly retry: string;
  readonly as: 'json' | 'text';
  readonly data: string;
  readonly isPrivate: boolean;
}

export type Outcome = { readonly id: string } | { readonly error: unknown };

/** Publications that are remembered to be published again. */
const MOST_PAST = 20;

/** What is being written, what became of it when it was sent, and what was sent before. It outlives the form. */
export class Publication {
  readonly draft = signal<Draft>({
    topics: '',
    type: '',
    id: '',
    retry: '',
    as: 'json',
    data: '{\n  "hello": "world"\n}',
    isPrivate: false,
  });
  readonly isBusy = signal(false);
  readonly outcome = signal<Outcome | undefined>(undefined);
  /** Newest first, each once. Ids are left out, because the hub makes another one. */
  readonly past = signal<readonly Draft[]>([]);

  constructor(private readonly session: Session) {
    this.change({ topics: firstTopic(session) });
    // What was refused before may not be any more, once there is another connection.
    effect(() => {
      if (session.openedAt.value !== undefined && isFailure(this.outcome.peek())) this.outcome.value = undefined;
    });
  }

  change(part: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...part };
  }

  /** Takes over a message, to be changed and published again. */
  takeOver({ topic, type, text }: LogMessage): void {
    const isJson = mistakeIn({ as: 'json', data: text }) === undefined;
    this.change({
      topics: topic,
      type: type === 'message' ? '' : type,
      id: '',
      as: isJson ? 'json' : 'text',
      data: isJson ? pretty(text) : text,
    });
    this.outcome.value = undefined;
  }

  format(): void {
    this.change({ data: pretty(this.draft.value.data) });
  }

  /** Does nothing while the last publication is under way, or if the data is not what it is sent as. */
  async publish(): Promise<void> {
    const draft = this.draft.value;
    if (this.isBusy.value || mistakeIn(draft) !== undefined) return;
    this.isBusy.value = true;
    try {
      this.outcome.value = { id: await this.send(draft) };
      this.remember(draft);
    } catch (error) {
      this.outcome.value = { error };
    } finally {
      this.isBusy.value = false;
    }
  }

  private send({ topics, type, id, retry, as, data, isPrivate }: Draft): Promise<string> {
    const options: Sending = {
      ...(id !== '' && { id }),
      ...(type !== '' && { type }),
      ...(retry !== '' && { retry: Number(retry) }),
      ...(as === 'text' && { as }),
      private: isPrivate,
    };
    return this.session.publish(linesOf(topics), as === 'text' ? data : JSON.parse(data), options);
  }

  private remember(draft: Draft): void {
    const sent = { ...draft, id: '' };
    const key = JSON.stringify(sent);
    const others = this.past.value.filter((one) => JSON.stringify(one) !== key);
    this.past.value = [sent, ...others].slice(0, MOST_PAST);
  }
}

/** Why the data is not JSON; undefined if it is, or need not be. */
export function mistakeIn({ as, data }: Pick<Draft, 'as' | 'data'>): string | undefined {
  if (as === 'text') return undefined;
  try {
    JSON.parse(data);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function isFailure(outcome: Outcome | undefined): outcome is { readonly error: unknown } {
  return outcome !== undefined && 'error' in outcome;
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function firstTopic(session: Session): string {
  const exact = session.topics.peek().find(({ kind, text }) => kind === 'exact' && text !== '*');
  return exact?.text ?? 'https://example.com/hello';
}
