import { signal } from '@preact/signals';
import { pretty } from './exports.js';
import type { Session } from './session.js';

/** What the form holds. */
export interface Draft {
  readonly topic: string;
  readonly type: string;
  readonly id: string;
  readonly data: string;
  readonly isPrivate: boolean;
}

export type Outcome = { readonly id: string } | { readonly reason: string };

/** Publications that are remembered to be published again. */
const MOST_PAST = 20;

/** What is being written, what became of it when it was sent, and what was sent before. It outlives the form. */
export class Publication {
  readonly draft = signal<Draft>({
    topic: '',
    type: '',
    id: '',
    data: '{\n  "hello": "world"\n}',
    isPrivate: false,
  });
  readonly isBusy = signal(false);
  readonly outcome = signal<Outcome | undefined>(undefined);
  /** Newest first, each once. Ids are left out, because the hub makes another one. */
  readonly past = signal<readonly Draft[]>([]);

  constructor(private readonly session: Session) {
    this.change({ topic: firstTopic(session) });
  }

  change(part: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...part };
  }

  format(): void {
    this.change({ data: pretty(this.draft.value.data) });
  }

  /** Does nothing while the last publication is under way, or if the data is not JSON. */
  async publish(): Promise<void> {
    const draft = this.draft.value;
    if (this.isBusy.value || mistakeIn(draft.data) !== undefined) return;
    this.isBusy.value = true;
    try {
      this.outcome.value = { id: await this.send(draft) };
      this.remember(draft);
    } catch (error) {
      this.outcome.value = { reason: reasonOf(error) };
    } finally {
      this.isBusy.value = false;
    }
  }

  private send({ topic, type, id, data, isPrivate }: Draft): Promise<string> {
    return this.session.publish(topic, JSON.parse(data), {
      ...(id !== '' && { id }),
      ...(type !== '' && { type }),
      private: isPrivate,
    });
  }

  private remember(draft: Draft): void {
    const sent = { ...draft, id: '' };
    const key = JSON.stringify(sent);
    const others = this.past.value.filter((one) => JSON.stringify(one) !== key);
    this.past.value = [sent, ...others].slice(0, MOST_PAST);
  }
}

/** Why the text is not JSON; undefined if it is. */
export function mistakeIn(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstTopic(session: Session): string {
  const exact = session.topics.peek().find(({ kind, text }) => kind === 'exact' && text !== '*');
  return exact?.text ?? 'https://example.com/hello';
}
