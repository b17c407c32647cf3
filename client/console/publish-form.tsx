import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { pretty } from './exports.js';
import type { Session } from './session.js';
import { t } from './translation.js';

type Outcome = { readonly id: string } | { readonly reason: string };

interface Draft {
  readonly topic: Signal<string>;
  readonly type: Signal<string>;
  readonly id: Signal<string>;
  readonly data: Signal<string>;
  readonly isPrivate: Signal<boolean>;
}

/** What is being written, and what became of it when it was sent. */
function usePublication(session: Session): {
  readonly draft: Draft;
  readonly isBusy: boolean;
  readonly outcome: Outcome | undefined;
  readonly publish: () => Promise<void>;
} {
  const draft: Draft = {
    topic: useSignal(firstTopic(session)),
    type: useSignal(''),
    id: useSignal(''),
    data: useSignal('{\n  "hello": "world"\n}'),
    isPrivate: useSignal(false),
  };
  const isBusy = useSignal(false);
  const outcome = useSignal<Outcome | undefined>(undefined);
  const publish = async (): Promise<void> => {
    const { topic, type, id, data, isPrivate } = draft;
    if (isBusy.value || mistakeIn(data.value) !== undefined) return;
    isBusy.value = true;
    try {
      const options = {
        ...(id.value !== '' && { id: id.value }),
        ...(type.value !== '' && { type: type.value }),
        private: isPrivate.value,
      };
      outcome.value = { id: await session.publish(topic.value, JSON.parse(data.value), options) };
    } catch (error) {
      outcome.value = { reason: reasonOf(error) };
    } finally {
      isBusy.value = false;
    }
  };
  return { draft, isBusy: isBusy.value, outcome: outcome.value, publish };
}

/** Publishes JSON, and says what became of it. */
export function PublishForm({ session }: { session: Session }): JSX.Element {
  const { draft, isBusy, outcome, publish } = usePublication(session);
  const mistake = mistakeIn(draft.data.value);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    void publish();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onSubmit(event);
  };
  return (
    <form class="publish" aria-label={t('publishTitle')} onSubmit={onSubmit} onKeyDown={onKeyDown}>
      <Fields draft={draft} mistake={mistake} />
      <div class="actions">
        <button
          type="submit"
          class="primary"
          id="publish-send"
          disabled={isBusy || mistake !== undefined || !session.isWanted.value}
        >
          {t('publish')}
        </button>
        <button
          type="button"
          disabled={mistake !== undefined}
          onClick={() => (draft.data.value = pretty(draft.data.value))}
        >
          {t('format')}
        </button>
        <small class="faint">{t('shortcut')}</small>
      </div>
      <p id="publish-outcome" role="status" class={outcome && 'reason' in outcome ? 'notice' : 'faint'}>
        {outcome && sentenceOf(outcome)}
      </p>
    </form>
  );
}

function Fields({ draft, mistake }: { draft: Draft; mistake: string | undefined }): JSX.Element {
  const { topic, type, id, data, isPrivate } = draft;
  return (
    <>
      <label>
        {t('topic')}
        <input id="publish-topic" class="mono" required {...bind(topic)} />
      </label>
      <div class="pair">
        <label>
          {t('type')}
          <input id="publish-type" class="mono" placeholder="message" {...bind(type)} />
        </label>
        <label>
          {t('id')}
          <input id="publish-id" class="mono" placeholder={t('idNote')} {...bind(id)} />
        </label>
      </div>
      <label>
        {t('data')}
        <textarea
          id="publish-data"
          class="mono"
          rows={7}
          spellcheck={false}
          aria-invalid={mistake !== undefined}
          aria-describedby="publish-mistake"
          {...bind(data)}
        />
      </label>
      <p id="publish-mistake" class="mistake">
        {mistake === undefined ? '' : t('dataInvalid', { reason: mistake })}
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={isPrivate.value}
          onChange={({ currentTarget }) => (isPrivate.value = currentTarget.checked)}
        />
        {t('private')}
      </label>
    </>
  );
}

function bind(field: {
  value: string;
}): Pick<JSX.IntrinsicElements['input'], 'value'> & { onInput: (event: Event) => void } {
  return {
    value: field.value,
    onInput: ({ currentTarget }) => {
      field.value = (currentTarget as HTMLInputElement).value;
    },
  };
}

function firstTopic(session: Session): string {
  const exact = session.topics.peek().find(({ kind, text }) => kind === 'exact' && text !== '*');
  return exact?.text ?? 'https://example.com/hello';
}

function mistakeIn(text: string): string | undefined {
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

function sentenceOf(outcome: Outcome): string {
  return 'id' in outcome ? t('published', { id: outcome.id }) : t('publishFailed', { reason: outcome.reason });
}
