import { type Signal, useSignal } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { HeraldError } from '../lib/index.js';
import type { Topic } from './address.js';
import { MAX_TOPICS } from './address.js';
import { useDismiss } from './dismiss.js';
import { English } from './english.js';
import { isAboutToken, type Refusal } from './problem-kinds.js';
import { detailOf, sentenceFor } from './problem-text.js';
import type { Session } from './session.js';
import { type Proposal, proposalFor } from './topic-proposal.js';
import { language, t } from './translation.js';
import { keyOf } from './topic-states.js';
import { visible } from './visible-text.js';

/** What is subscribed to: added and taken away while the stream runs. */
export function Topics({ session, since }: { session: Session; since: { value: string } }): JSX.Element {
  const text = useSignal('');
  const kind = useSignal<Topic['kind']>('exact');
  const problem = useSignal('');
  const proposal = useSignal<Proposal | undefined>(undefined);
  const over = useOverlays();
  const count = session.topics.value.length;
  const isFull = count >= MAX_TOPICS;
  const add = (topic: Topic): void => {
    proposal.value = undefined;
    try {
      session.add(topic, since.value);
      text.value = '';
      problem.value = '';
      over.closeForm();
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
    }
    document.getElementById('topic-text')?.focus();
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    const wanted: Topic = { kind: kind.value, text: text.value.trim() };
    if (wanted.text === '' || isFull) return;
    proposal.value = proposalFor(wanted);
    if (!proposal.value) add(wanted);
  };
  return (
    <section ref={over.section} class="topics" aria-label={t('topics')} data-open={over.isFormOpen.value}>
      <form onSubmit={onSubmit} onKeyDown={({ key }) => key === 'Escape' && over.closeForm()}>
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
            onInput={({ currentTarget }) => {
              text.value = currentTarget.value;
              proposal.value = undefined;
            }}
          />
        </label>
        <Kind kind={kind} />
        <Since since={since} />
        <button type="submit" aria-disabled={isFull}>
          {t('add')}
        </button>
        <Help problem={problem.value} />
        {proposal.value && <Offer proposal={proposal.value} text={text.value.trim()} add={add} />}
      </form>
      <Chips session={session} {...over} />
    </section>
  );
}

/** How topics are written, or what is wrong with the one that was. */
function Help({ problem }: { problem: string }): JSX.Element {
  if (problem === '') {
    return (
      <p id="topic-help" class="help" title={t('patternHelp')}>
        {t('patternHelp')}
      </p>
    );
  }
  return (
    <p id="topic-help" class="notice" role="alert" title={problem}>
      {t('patternInvalid')} <English text={problem} />
    </p>
  );
}

interface OfferProps {
  readonly proposal: Proposal;
  /** The exact topic that was typed. */
  readonly text: string;
  readonly add: (topic: Topic) => void;
}

/** Asks what was meant, before somebody waits for messages that never come. */
function Offer({ proposal: { pattern, part }, text, add }: OfferProps): JSX.Element {
  return (
    <div class="notice offer" role="alert">
      <span>{t('looksLikePattern', { part })}</span>{' '}
      <button type="button" class="primary" id="topic-as-pattern" onClick={() => add(pattern)}>
        {t('addAsPattern', { pattern: pattern.text })}
      </button>{' '}
      <button type="button" id="topic-as-exact" onClick={() => add({ kind: 'exact', text })}>
        {t('addAsExact')}
      </button>
    </div>
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

/** What may lie over the page: all topics at once, and, where there is little room, the form. */
interface Overlays {
  /** What both are in. */
  readonly section: RefObject<HTMLElement | null>;
  readonly isWhole: Signal<boolean>;
  readonly isFormOpen: Signal<boolean>;
  /** The button that opens the form. */
  readonly opener: RefObject<HTMLButtonElement | null>;
  readonly closeForm: () => void;
}

function useOverlays(): Overlays {
  const isFormOpen = useSignal(false);
  const isWhole = useSignal(false);
  const section = useRef<HTMLElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  useDismiss(isFormOpen, section);
  useDismiss(isWhole, section);
  const closeForm = (): void => {
    if (!isFormOpen.value) return;
    isFormOpen.value = false;
    opener.current?.focus();
  };
  return { section, isWhole, isFormOpen, opener, closeForm };
}

type ChipsProps = Omit<Overlays, 'section' | 'closeForm'> & { readonly session: Session };

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
      <Refused session={session} />
      <ul class="chips strip" ref={list} aria-label={t('topics')} data-all={isWhole.value}>
        {topics.map((topic, index) => (
          <li
            key={keyOf(topic)}
            data-kind={topic.kind}
            data-state={session.topicStates.of(topic)?.state}
            title={visible(topic.text)}
          >
            <span class="mono">{visible(topic.text)}</span>
            <Denial error={denialOf(session, topic)} />
            <button
              type="button"
              id={`topic-${index}-remove`}
              data-heir={`#topic-${index}-remove;#topic-${index - 1}-remove;#topic-text;#topics-add`}
              aria-label={t('remove', { topic: visible(topic.text) })}
              onClick={() => session.remove(topic)}
            >
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
          id="topics-add"
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

/** Why the hub refuses a topic. What is wrong with the token is said once, and not beside each topic. */
function denialOf(session: Session, topic: Topic): HeraldError | undefined {
  const error = session.topicStates.of(topic)?.error;
  return isAboutToken(error) ? undefined : error;
}

/** Says in one sentence which topics are refused, for those who do not see it beside each. */
function Refused({ session }: { session: Session }): JSX.Element {
  const refused = session.topics.value.filter((topic) => denialOf(session, topic));
  return (
    <p class="unseen" role="alert" id="topics-refused">
      {refused.length > 0 &&
        t('deniedTopics', { n: refused.length, topics: refused.map(({ text }) => visible(text)).join(', ') })}
    </p>
  );
}

function Denial({ error }: { error: HeraldError | undefined }): JSX.Element | null {
  if (!error) return null;
  const code = (error as Refusal).problem?.code;
  const status = String(error.status ?? '');
  return (
    <span
      class="denied"
      title={[sentenceFor(error), language.value === 'en' ? detailOf(error) : ''].filter(Boolean).join(' ')}
    >
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d="M10 2.5 18.5 17h-17zM10 8v4m0 2.4v.1" />
      </svg>
      {t('denied', { reason: code === undefined ? status : `${status} ${code}` })}
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
