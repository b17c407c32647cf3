import { type Signal, useSignal } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Topic } from './address.js';
import { MAX_TOPICS } from './address.js';
import { useDismiss } from './dismiss.js';
import { hintFor } from './hint.js';
import type { Refusal } from './refusals.js';
import { matcherOf, type Session } from './session.js';
import { t } from './translation.js';

/** What is subscribed to: added and taken away while the stream runs. */
export function Topics({ session, since }: { session: Session; since: { value: string } }): JSX.Element {
  const text = useSignal('');
  const kind = useSignal<Topic['kind']>('exact');
  const problem = useSignal('');
  /** Whether the form is shown where there is little room. */
  const isOpen = useSignal(false);
  const isWhole = useSignal(false);
  const section = useRef<HTMLElement>(null);
  useDismiss(isOpen, section);
  useDismiss(isWhole, section);
  const opener = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    if (!isOpen.value) return;
    isOpen.value = false;
    opener.current?.focus();
  };
  const count = session.topics.value.length;
  const isFull = count >= MAX_TOPICS;
  const add = (event: Event): void => {
    event.preventDefault();
    const wanted = text.value.trim();
    if (wanted === '' || isFull) return;
    try {
      session.add({ kind: kind.value, text: wanted }, since.value);
      text.value = '';
      problem.value = '';
      close();
    } catch (error) {
      problem.value = t('patternInvalid', { reason: error instanceof Error ? error.message : '' });
    }
  };
  return (
    <section ref={section} class="topics" aria-label={t('topics')} data-open={isOpen.value}>
      <form onSubmit={add} onKeyDown={({ key }) => key === 'Escape' && close()}>
        <label class="grow">
          <span class="label">
            {t('addTopic')} {isFull && <span class="full">{t('topicsFull', { n: count })}</span>}
          </span>
          <input
            id="topic-text"
            class="mono"
            value={text.value}
            placeholder="https://example.com/orders/1"
            aria-describedby="topic-help"
            aria-invalid={problem.value !== ''}
            onInput={({ currentTarget }) => (text.value = currentTarget.value)}
          />
        </label>
        <Kind kind={kind} />
        <Since since={since} />
        <button type="submit" aria-disabled={isFull}>
          {t('add')}
        </button>
        <Help problem={problem.value} />
      </form>
      <Chips session={session} isWhole={isWhole} isFormOpen={isOpen} opener={opener} />
    </section>
  );
}

/** How topics are written, or what is wrong with the one that was. */
function Help({ problem }: { problem: string }): JSX.Element {
  const text = problem || t('patternHelp');
  return (
    <p id="topic-help" class={problem ? 'notice' : 'help'} role={problem ? 'alert' : undefined} title={text}>
      {text}
    </p>
  );
}

function Kind({ kind }: { kind: { value: Topic['kind'] } }): JSX.Element {
  return (
    <label>
      <span class="label">{t('kind')}</span>
      <select
        id="topic-kind"
        value={kind.value}
        onChange={({ currentTarget }) => (kind.value = currentTarget.value === 'pattern' ? 'pattern' : 'exact')}
      >
        <option value="exact">{t('kindExact')}</option>
        <option value="pattern">{t('kindPattern')}</option>
      </select>
    </label>
  );
}

interface ChipsProps {
  readonly session: Session;
  /** Whether all topics are shown at once. */
  readonly isWhole: Signal<boolean>;
  readonly isFormOpen: Signal<boolean>;
  /** The button that opens the form. */
  readonly opener: RefObject<HTMLButtonElement | null>;
}

/** One line of topics, which is scrolled sideways, and shows all of them if asked. */
function Chips({ session, isWhole, isFormOpen, opener }: ChipsProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const topics = session.topics.value;
  const before = useRef(topics.length);
  useLayoutEffect(() => {
    // Somebody who has added a topic looks for it, and it is the last one.
    if (topics.length > before.current && list.current) list.current.scrollLeft = list.current.scrollWidth;
    before.current = topics.length;
  }, [topics.length]);
  return (
    <>
      <ul class="chips strip" ref={list} aria-label={t('topics')} data-all={isWhole.value}>
        {topics.map((topic) => (
          <li key={`${topic.kind} ${topic.text}`} data-kind={topic.kind} title={topic.text}>
            <span class="mono">{topic.text}</span>
            <Denial refusal={session.refusals.reasonFor(matcherOf(topic))} />
            <button type="button" aria-label={t('remove', { topic: topic.text })} onClick={() => session.remove(topic)}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <div class="more">
        <button
          type="button"
          id="topics-all"
          data-needed={topics.length > 1}
          aria-expanded={isWhole.value}
          onClick={() => (isWhole.value = !isWhole.value)}
        >
          {isWhole.value ? t('fewerTopics') : t('allTopics', { n: topics.length })}
        </button>
        <button
          type="button"
          class={topics.length === 0 ? 'open-form primary' : 'open-form'}
          ref={opener}
          aria-expanded={isFormOpen.value}
          onClick={() => (isFormOpen.value = !isFormOpen.value)}
        >
          {t('openForm')}
        </button>
      </div>
    </>
  );
}

/** Why the hub refuses a topic. */
function Denial({ refusal }: { refusal: Refusal | undefined }): JSX.Element | null {
  if (!refusal) return null;
  const { status, code } = refusal;
  return (
    <span class="denied" role="alert" title={hintFor(status)}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d="M10 2.5 18.5 17h-17zM10 8v4m0 2.4v.1" />
      </svg>
      {t('denied', { reason: code === undefined ? String(status) : `${status} ${code}` })}
    </span>
  );
}

/** How many of the newest messages to begin with, unless the reader chooses another number. */
const SOME = 20;
const MOST = 1_000;

function Since({ since }: { since: { value: string } }): JSX.Element {
  const choice = useSignal(choiceOf(since.value));
  const choose = (chosen: string): void => {
    choice.value = chosen;
    since.value = { id: '', last: `#${SOME}` }[chosen] ?? chosen;
  };
  return (
    <>
      <label>
        <span class="label">{t('since')}</span>
        <select id="since" value={choice.value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
          <option value="">{t('sinceNow')}</option>
          <option value="last">{t('sinceLast')}</option>
          <option value="earliest">{t('sinceEarliest')}</option>
          <option value="id">{t('sinceId')}</option>
        </select>
      </label>
      {choice.value === 'last' && (
        <label>
          <span class="label">{t('count')}</span>
          <input
            id="since-last"
            type="number"
            min={1}
            max={MOST}
            value={since.value.slice(1)}
            onInput={({ currentTarget }) => {
              const count = Math.round(currentTarget.valueAsNumber) || SOME;
              since.value = `#${Math.min(MOST, Math.max(1, count))}`;
            }}
          />
        </label>
      )}
      {choice.value === 'id' && (
        <label>
          <span class="label">{t('eventId')}</span>
          <input
            id="since-id"
            class="mono"
            value={since.value}
            onInput={({ currentTarget }) => (since.value = currentTarget.value.trim().replace(/^#+/, ''))}
          />
        </label>
      )}
    </>
  );
}

function choiceOf(since: string): string {
  if (since === '' || since === 'earliest') return since;
  return since.startsWith('#') ? 'last' : 'id';
}
