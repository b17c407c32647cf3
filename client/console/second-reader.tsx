import { effect, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { ConnectionBar } from './connection-bar.js';
import { LogView } from './log-view.js';
import type { LogMessage } from './message-log.js';
import { isSame, Session } from './session.js';
import { t } from './translation.js';

interface SecondReaderProps {
  readonly first: Session;
  readonly session: Session;
  readonly since: Signal<string>;
  readonly filter: Signal<string>;
  readonly selected: Signal<LogMessage | undefined>;
  readonly onChoose: (message: LogMessage | undefined) => void;
  readonly announce: (sentence: string) => void;
  readonly onClose: () => void;
}

/** A second reader of the same topics beside the first, to see what one of them may read and the other may not. */
export function SecondReader({ first, session, since, onClose, ...log }: SecondReaderProps): JSX.Element {
  useEffect(() => {
    const end = effect(() => follow(session, first, since.peek()));
    return () => {
      end();
      session.disconnect();
    };
  }, [session]);
  return (
    <div class="second">
      <ConnectionBar name="second" label={`${t('second')}: ${t('connection')}`} session={session} since={since.value}>
        <button type="button" id="second-close" data-heir="#second" onClick={onClose}>
          {t('close')}
        </button>
      </ConnectionBar>
      <LogView name="second-log" title={t('second')} session={session} {...log} />
    </div>
  );
}

/** Gives `session` the topics of `other`. */
function follow(session: Session, other: Session, since: string): void {
  const wanted = other.topics.value;
  for (const topic of session.topics.peek()) if (!wanted.some((one) => isSame(one, topic))) session.remove(topic);
  for (const topic of wanted) session.add(topic, since);
}
