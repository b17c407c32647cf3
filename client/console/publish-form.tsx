import type { JSX } from 'preact';
import { type Draft, mistakeIn, type Outcome, type Publication } from './publication.js';
import type { Session } from './session.js';
import { t } from './translation.js';

interface PublishProps {
  readonly session: Session;
  readonly publication: Publication;
}

/** Publishes JSON, and says what became of it. */
export function PublishForm({ session, publication }: PublishProps): JSX.Element {
  const mistake = mistakeIn(publication.draft.value.data);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    void publication.publish();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onSubmit(event);
  };
  return (
    <>
      <form class="publish" aria-label={t('publishTitle')} onSubmit={onSubmit} onKeyDown={onKeyDown}>
        <Fields publication={publication} mistake={mistake} />
        <div class="actions">
          <button
            type="submit"
            class="primary"
            id="publish-send"
            disabled={publication.isBusy.value || mistake !== undefined || !session.isWanted.value}
          >
            {t('publish')}
          </button>
          <button type="button" disabled={mistake !== undefined} onClick={() => publication.format()}>
            {t('format')}
          </button>
          <small class="faint">{t('shortcut')}</small>
        </div>
        <OutcomeLine outcome={publication.outcome.value} />
      </form>
      <Past publication={publication} />
    </>
  );
}

function Fields({ publication, mistake }: { publication: Publication; mistake: string | undefined }): JSX.Element {
  const { isPrivate } = publication.draft.value;
  return (
    <>
      <label>
        {t('topic')}
        <input id="publish-topic" class="mono" required {...bind(publication, 'topic')} />
      </label>
      <div class="pair">
        <label>
          {t('type')}
          <input id="publish-type" class="mono" placeholder="message" {...bind(publication, 'type')} />
        </label>
        <label>
          {t('id')}
          <input id="publish-id" class="mono" placeholder={t('idNote')} {...bind(publication, 'id')} />
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
          {...bind(publication, 'data')}
        />
      </label>
      <p id="publish-mistake" class="mistake">
        {mistake === undefined ? '' : t('dataInvalid', { reason: mistake })}
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={isPrivate}
          onChange={({ currentTarget }) => publication.change({ isPrivate: currentTarget.checked })}
        />
        {t('private')}
      </label>
    </>
  );
}

function bind(
  publication: Publication,
  field: keyof Omit<Draft, 'isPrivate'>,
): { value: string; onInput: (event: Event) => void } {
  return {
    value: publication.draft.value[field],
    onInput: ({ currentTarget }) => publication.change({ [field]: (currentTarget as HTMLInputElement).value }),
  };
}

function OutcomeLine({ outcome }: { outcome: Outcome | undefined }): JSX.Element {
  const isRefused = outcome !== undefined && 'reason' in outcome;
  return (
    <p id="publish-outcome" role="status" class={isRefused ? 'notice' : 'faint'}>
      {outcome && ('id' in outcome ? t('published', { id: outcome.id }) : t('publishFailed', outcome))}
    </p>
  );
}

/** What was published before, to be taken into the form again. */
function Past({ publication }: { publication: Publication }): JSX.Element | undefined {
  const past = publication.past.value;
  if (past.length === 0) return undefined;
  return (
    <section aria-labelledby="past-title" class="past">
      <h3 id="past-title">{t('past')}</h3>
      <ul>
        {past.map((draft) => (
          <li key={JSON.stringify(draft)}>
            <button type="button" class="mono" onClick={() => publication.change(draft)} title={draft.data}>
              {draft.topic} {draft.type} {draft.data.replaceAll(/\s+/g, ' ').slice(0, 80)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
