import type { JSX } from 'preact';
import { copyText } from './clipboard.js';
import { pretty, toFrame } from './exports.js';
import type { LogMessage } from './message-log.js';
import { formatTime, t } from './translation.js';

/** Everything about one message. */
export function Detail({
  message,
  announce,
}: {
  message: LogMessage | undefined;
  announce: (text: string) => void;
}): JSX.Element {
  if (!message) return <p class="help">{t('noDetail')}</p>;
  const copy = async (text: string): Promise<void> => {
    if (await copyText(text)) announce(t('copied'));
  };
  const { id, topic, type, text, at, latency } = message;
  return (
    <div class="detail">
      <dl>
        <dt>{t('id')}</dt>
        <dd class="mono">{id ?? t('none')}</dd>
        <dt>{t('topic')}</dt>
        <dd class="mono">{topic}</dd>
        <dt>{t('type')}</dt>
        <dd class="mono">{type}</dd>
        <dt>{t('time')}</dt>
        <dd>{formatTime(at)}</dd>
        <dt>{t('size')}</dt>
        <dd>{t('bytes', { n: new TextEncoder().encode(text).length })}</dd>
        <dt>{t('latency')}</dt>
        <dd>{latency === undefined ? t('none') : t('milliseconds', { n: latency })}</dd>
      </dl>
      <Text title={t('data')} text={pretty(text)} onCopy={() => void copy(text)} id="detail-data" />
      <Text title={t('raw')} text={toFrame(message)} onCopy={() => void copy(toFrame(message))} id="detail-frame" />
    </div>
  );
}

interface TextProps {
  readonly title: string;
  readonly text: string;
  readonly id: string;
  readonly onCopy: () => void;
}

function Text({ title, text, id, onCopy }: TextProps): JSX.Element {
  return (
    <>
      <div class="actions">
        <h3 id={`${id}-title`}>{title}</h3>
        <button type="button" onClick={onCopy} aria-label={`${t('copy')}: ${title}`}>
          {t('copy')}
        </button>
      </div>
      <pre class="mono" id={id} tabIndex={0} role="region" aria-labelledby={`${id}-title`}>
        {text}
      </pre>
    </>
  );
}
