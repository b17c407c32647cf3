import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { UrlPatternConstructor } from '../lib/index.js';
import { HUB_URL, isInApplication } from '../src/page-places.js';
import type { Topic } from './address.js';
import { clock } from './hooks.js';
import { askHub, type HubVerdict } from './hub-verdict.js';
import { isRefused } from './is-refused.js';
import { matcherOf, type Session } from './session.js';
import { factsOf } from './token-claims.js';
import { subjectOf } from './token-subject.js';
import { mayPublish, mayRead, type Question, type Verdict } from './token-verdict.js';
import { t } from './translation.js';

interface WhyNotProps {
  readonly session: Session;
  /** The hub as tokens name it. */
  readonly resource: string;
}

/** Whether the tokens of this page are good for a topic, and why not. */
export function WhyNot({ session, resource }: WhyNotProps): JSX.Element {
  const text = useSignal('');
  const topic = useSignal<Topic | undefined>(undefined);
  const answer = useSignal<HubVerdict | undefined>(undefined);
  const identity = session.identity.value;
  // What an application grants to a session stands in no token.
  const hasToken = !isInApplication || identity?.token !== undefined;
  const refused = useComputed(() => session.topics.value.filter((one) => isRefused(session, one)));
  const explain = (asked: Topic): void => {
    text.value = asked.text;
    topic.value = asked.text === '' ? undefined : asked;
  };
  useEffect(() => {
    let isCurrent = true;
    const ask = async (about: Topic): Promise<void> => {
      const given = await askHub(session, about);
      if (isCurrent) answer.value = given;
    };
    answer.value = undefined;
    if (topic.value) void ask(topic.value);
    return () => (isCurrent = false);
  }, [session, topic.value, identity]);
  return (
    <section class="why" aria-labelledby="why-title">
      <h3 id="why-title">{t('why')}</h3>
      {refused.value.map((one) => (
        <button key={matcherOf(one).join('=')} type="button" class="why-refused" onClick={() => explain(one)}>
          {t('whyRefused', { topic: one.text })}
        </button>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          explain({ kind: 'exact', text: text.value.trim() });
        }}
      >
        <input
          id="why-topic"
          class="mono"
          list="why-topics"
          aria-label={t('whyTopic')}
          placeholder="https://example.com/orders/1"
          value={text.value}
          onInput={({ currentTarget }) => (text.value = currentTarget.value)}
        />
        <datalist id="why-topics">
          {session.topics.value.map(({ kind, text: name }) => kind === 'exact' && <option key={name} value={name} />)}
        </datalist>
        <button type="submit" id="why-explain">
          {t('whyExplain')}
        </button>
      </form>
      <div aria-live="polite">
        {topic.value?.kind === 'exact' && hasToken && (
          <Here session={session} resource={resource} topic={topic.value.text} />
        )}
        {answer.value && <Hub verdict={answer.value} subject={subjectOf(identity?.token)} />}
      </div>
    </section>
  );
}

/** What the page works out by itself. */
function Here({ session, resource, topic }: WhyNotProps & { topic: string }): JSX.Element {
  const { URLPattern: UrlPattern } = globalThis as { URLPattern?: UrlPatternConstructor };
  const { token, publishToken = token } = session.identity.value ?? {};
  const about = (one: string | undefined): Question => ({
    topic,
    facts: one === undefined ? 'none' : factsOf(one),
    resource,
    now: clock.value,
    hubPath: new URL(HUB_URL).pathname,
    UrlPattern,
  });
  return (
    <>
      <dl class="claims verdicts">
        <Sentence id="why-read" name={t('whyRead')} verdict={mayRead(about(token))} />
        <Sentence id="why-publish" name={t('whyPublish')} verdict={mayPublish(about(publishToken))} />
      </dl>
      <small>{t('whyHere')}</small>
    </>
  );
}

function Sentence({ id, name, verdict }: { id: string; name: string; verdict: Verdict }): JSX.Element {
  const { isAllowed, reason, by } = verdict;
  return (
    <div>
      <dt>{name}</dt>
      <dd id={id} data-allowed={isAllowed}>
        {t(reason, by && { grant: by.text })}
      </dd>
    </div>
  );
}

/** The hub's own sentences are English. */
function Hub({ verdict, subject }: { verdict: HubVerdict; subject: string | undefined }): JSX.Element {
  const { reading, publishing, delivered } = verdict;
  return (
    <div id="why-hub">
      <h4>{t('whyHub')}</h4>
      <dl class="claims">
        <div>
          <dt>{t('whyRead')}</dt>
          <dd>{reading}</dd>
        </div>
        {publishing !== undefined && (
          <div>
            <dt>{t('whyPublish')}</dt>
            <dd>{publishing}</dd>
          </div>
        )}
      </dl>
      {delivered.length > 0 && (
        <>
          <h4>{t('whyDelivered', { subject: subject ?? '' })}</h4>
          <ul class="grants" lang="en">
            {delivered.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
