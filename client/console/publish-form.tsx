import type { JSX } from 'preact';
import { English } from './english.js';
import { ProblemText } from './problem-text.js';
import { type Draft, isFailure, mistakeIn, type Outcome, type Publication } from './publication.js';
import type { Session } from './session.js';
import { t } from './translation.js';
import { visible } from './visible-text.js';

interface PublishProps {
  readonly session: Session;
  readonly publication: Publication;
}

/** Publishes JSON or text, and says what became of it. */
export function PublishForm({ session, publication }: PublishProps): JSX.Element {
  const mistake = mistakeIn(publication.draft.value);
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
          {publication.draft.value.as === 'json' && (
            <button type="button" disabled={mistake !== undefined} onClick={() => publication.format()}>
              {t('format')}
            </button>
          )}
          <small class="faint">{t(session.isWanted.value ? 'shortcut' : 'needsConnection')}</small>
        </div>
        <OutcomeLine outcome={publication.outcome.value} session={session} />
      </form>
      <Past publication={publication} />
    </>
  );
}

function Fields({ publication, mistake }: { publication: Publication; mistake: string | undefined }): JSX.Element {
  const { isPrivate, topics } = publication.draft.value;
  return (
    <>
      <label>
        {t('publishTopics')}
        <textarea
          id="publish-topic"
          class="mono"
          rows={Math.min(4, topics.split('\n').length)}
          required
          spellcheck={false}
          {...bind(publication, 'topics')}
        />
      </label>
      <Extras publication={publication} />
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
        {mistake !== undefined && (
          <>
            {t('dataInvalid')} <English text={mistake} />
          </>
        )}
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

/** What can be left as it is. */
function Extras({ publication }: Pick<PublishProps, 'publication'>): JSX.Element {
  return (
    <>
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
      <div class="pair">
        <Format publication={publication} />
        <label>
          {t('retry')}
          <input
            id="publish-retry"
            type="number"
            min={0}
            step={1}
            placeholder={t('idNote')}
            {...bind(publication, 'retry')}
          />
        </label>
      </div>
    </>
  );
}

function Format({ publication }: { publication: Publication }): JSX.Element {
  return (
    <label>
      {t('dataFormat')}
      <select
        id="publish-as"
        value={publication.draft.value.as}
        onChange={({ currentTarget }) => publication.change({ as: currentTarget.value === 'text' ? 'text' : 'json' })}
      >
        <option value="json">{t('format_json')}</option>
        <option value="text">{t('format_text')}</option>
      </select>
    </label>
  );
}

function bind(
  publication: Publication,
  field: keyof Omit<Draft, 'isPrivate' | 'as'>,
): { value: string; onInput: (event: Event) => void } {
  return {
    value: publication.draft.value[field],
    onInput: ({ currentTarget }) => publication.change({ [field]: (currentTarget as HTMLInputElement).value }),
  };
}

interface OutcomeProps {
  readonly outcome: Outcome | undefined;
  readonly session: Session;
}

function OutcomeLine({ outcome, session }: OutcomeProps): JSX.Element {
  const hasToken = session.identity.value?.token ?? session.identity.value?.publishToken;
  return (
    <p id="publish-outcome" role="status" class={isFailure(outcome) ? 'notice' : 'faint'}>
      {isFailure(outcome) ? (
        <>
          {t('publishFailed')} <ProblemText error={outcome.error} isAnonymous={hasToken === undefined} />
        </>
      ) : (
        outcome && t('published', { id: visible(outcome.id) })
      )}
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
              {draft.topics.replaceAll('\n', ', ')} {draft.type} {draft.data.replaceAll(/\s+/g, ' ').slice(0, 80)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
