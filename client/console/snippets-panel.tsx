import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { HUB_URL, LIBRARY_URL } from '../src/page-places.js';
import { copyText } from './clipboard.js';
import type { Session } from './session.js';
import type { SnippetSubject } from './snippet-code.js';
import {
  publishSnippet,
  SNIPPET_LANGUAGES,
  SNIPPET_TITLES,
  type SnippetLanguage,
  subscribeSnippet,
} from './snippets.js';
import { t } from './translation.js';

interface SnippetsProps {
  readonly session: Session;
  readonly since: Signal<string>;
  readonly filter: Signal<string>;
  readonly announce: (sentence: string) => void;
}

/** Programs that do what this page does, in several languages. */
export function Snippets({ session, since, filter, announce }: SnippetsProps): JSX.Element {
  const language = useSignal<SnippetLanguage>('curl');
  // The filter looks for a part of a type, and a program for all of it: the reader completes it.
  const type = useSignal(/(?:^|\s)type:(\S+)/.exec(filter.value)?.[1] ?? '');
  const subject: SnippetSubject = {
    hubUrl: HUB_URL,
    libraryUrl: LIBRARY_URL,
    topics: session.topics.value,
    since: since.value,
    type: type.value,
    needsToken: session.identity.value?.token !== undefined,
  };
  const example = session.topics.value.find(({ kind, text }) => kind === 'exact' && text !== '*');
  const update = {
    topic: example?.text ?? 'https://example.com/hello',
    data: '{"hello":"world"}',
    type: type.value || 'message',
  };
  return (
    <div class="snippets">
      <Choices language={language} type={type} />
      <Code
        id="snippet-subscribe"
        title={t('snippetSubscribe')}
        text={subscribeSnippet(language.value, subject)}
        announce={announce}
      />
      {language.value === 'eventsource' && subject.needsToken && <p class="help">{t('snippetCookie')}</p>}
      <Code
        id="snippet-publish"
        title={t('snippetPublish')}
        text={publishSnippet(language.value, subject, update)}
        announce={announce}
      />
      <small>{t('snippetNote')}</small>
    </div>
  );
}

interface ChoicesProps {
  readonly language: Signal<SnippetLanguage>;
  readonly type: Signal<string>;
}

function Choices({ language, type }: ChoicesProps): JSX.Element {
  return (
    <div class="pair">
      <label>
        <span class="label">{t('snippetLanguage')}</span>
        <select
          id="snippet-language"
          value={language.value}
          onChange={({ currentTarget }) => (language.value = languageNamed(currentTarget.value))}
        >
          {SNIPPET_LANGUAGES.map((name) => (
            <option key={name} value={name}>
              {SNIPPET_TITLES[name]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="label">{t('snippetType')}</span>
        <input
          id="snippet-type"
          class="mono"
          placeholder={t('snippetTypeHint')}
          value={type.value}
          onInput={({ currentTarget }) => (type.value = currentTarget.value)}
        />
      </label>
    </div>
  );
}

function languageNamed(name: string): SnippetLanguage {
  return SNIPPET_LANGUAGES.find((known) => known === name) ?? 'curl';
}

interface CodeProps {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly announce: (sentence: string) => void;
}

function Code({ id, title, text, announce }: CodeProps): JSX.Element {
  const copy = async (): Promise<void> => {
    if (await copyText(text)) announce(t('copied'));
  };
  return (
    <>
      <div class="actions">
        <h3 id={`${id}-title`}>{title}</h3>
        <button type="button" aria-label={`${t('copy')}: ${title}`} onClick={() => void copy()}>
          {t('copy')}
        </button>
      </div>
      <pre class="mono" id={id} tabIndex={0} role="region" aria-labelledby={`${id}-title`}>
        {text}
      </pre>
    </>
  );
}
