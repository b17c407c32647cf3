import type { JSX } from 'preact';
import { clock } from './hooks.js';
import { isWorthRetrying } from './problem-kinds.js';
import { ProblemText } from './problem-text.js';
import type { Session } from './session.js';
import { formatDuration, t } from './translation.js';

/** What keeps the connection from coming about, when the next attempt is made, and a way to make it now. */
export function Attempts({ session }: { session: Session }): JSX.Element {
  const problem = session.problem.value;
  const until = session.waitsUntil.value;
  const isOver = session.state.value === 'failed' && isWorthRetrying(problem);
  return (
    <>
      {/* The element is always there, so that screen readers announce what comes into it. */}
      <div class="problem" role="alert">
        {problem && (
          <p class="notice">
            <ProblemText
              error={problem}
              isAnonymous={session.identity.value?.token === undefined}
              wait={problem.code === 'busy' ? session.stream.retryAfter : 0}
            />
          </p>
        )}
      </div>
      {(until !== undefined || isOver) && (
        <p class="next-attempt">
          {until !== undefined && <Countdown until={until} />}
          <button type="button" onClick={() => session.reconnect()}>
            {t('reconnectNow')}
          </button>
        </p>
      )}
    </>
  );
}

function Countdown({ until }: { until: number }): JSX.Element {
  const left = until - clock.value;
  return (
    <span class="faint">
      {left >= 1_000
        ? t('nextAttempt', { duration: formatDuration(Math.ceil(left / 1_000) * 1_000) })
        : t('nextAttemptNow')}
    </span>
  );
}
