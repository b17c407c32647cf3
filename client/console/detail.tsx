import type { JSX } from 'preact';
import { CopyButton } from './copy-button.js';
import { pretty, toFrame } from './exports.js';
import type { LogMessage } from './message-log.js';
import type { Session } from './session.js';
import { formatTime, t } from './translation.js';
import { visible } from './visible-text.js';

interface DetailProps {
  readonly message: LogMessage | undefined;
  readonly session: Session;
  readonly announce: (sentence: string) => void;
  /** Takes the message over, to be changed and published again. */
  readonly onAgain: (message: LogMessage) => void;
}

/** Everything about one message. */
export function Detail({ message, session, announce, onAgain }: DetailProps): JSX.Element {
  // The latency may become known only now.
  void session.measured.value;
  if (!message) return <p class="help">{t('noDetail')}</p>;
  const { id, topic, type, text, at, latency } = message;
  return (
    <div class="detail">
      <dl>
        <dt>{t('id')}</dt>
        <dd class="mono">{id === undefined ? t('none') : visible(id)}</dd>
        <dt>{t('topic')}</dt>
        <dd class="mono">{visible(topic)}</dd>
        <dt>{t('type')}</dt>
        <dd class="mono">{visible(type)}</dd>
        <dt>{t('time')}</dt>
        <dd>{formatTime(at)}</dd>
        <dt>{t('size')}</dt>
        <dd>{t('bytes', { n: new TextEncoder().encode(text).length })}</dd>
        <dt>{t('latency')}</dt>
        <dd id="detail-latency">{latency === undefined ? t('none') : t('milliseconds', { n: latency })}</dd>
      </dl>
      <div class="actions">
        <button type="button" id="detail-again" data-heir="#publish-topic" onClick={() => onAgain(message)}>
          {t('again')}
        </button>
      </div>
      <Text title={t('data')} text={pretty(text)} announce={announce} id="detail-data" />
      <Text title={t('raw')} text={toFrame(message)} announce={announce} id="detail-frame" />
    </div>
  );
}

interface TextProps extends Pick<DetailProps, 'announce'> {
  readonly title: string;
  readonly text: string;
  readonly id: string;
}

function Text({ title, text, id, announce }: TextProps): JSX.Element {
  return (
    <>
      <div class="actions">
        <h3 id={`${id}-title`}>{title}</h3>
        <CopyButton label={t('copy')} what={title} text={() => text} announce={announce} />
      </div>
      <pre class="mono" id={id} tabIndex={0} role="region" aria-labelledby={`${id}-title`}>
        {visible(text)}
      </pre>
    </>
  );
}
