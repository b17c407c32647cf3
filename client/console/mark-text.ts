import type { LogMark } from './message-log.js';
import { NO_TOKEN } from './no-token.js';
import { formatDuration, t } from './translation.js';

/** What a mark of the log says. */
export function textOfMark(entry: LogMark): string {
  switch (entry.mark) {
    case 'connected':
      return t(entry.isCleared ? 'markConnectedCleared' : 'markConnected', { who: entry.who ?? t(NO_TOKEN) });
    case 'left':
      return t('markLeft');
    case 'lost':
      return t('markLost', { reason: t(`loss_${entry.loss ?? 'ended'}`) });
    case 'gap':
      return textOfGap(entry);
    case 'reset':
      return t('markReset');
    case 'resumed':
      return textOfReturn(entry);
  }
}

function textOfGap({ updates, away }: LogMark): string {
  if (updates !== undefined) return t('markGapUpdates', { n: updates });
  return away === undefined ? t('markGap') : t('markGapAway', { duration: formatDuration(away) });
}

function textOfReturn({ away = 0, replayed = 0, after }: LogMark): string {
  const back = { duration: formatDuration(away), n: replayed };
  return after === undefined ? t('markResumed', back) : t('markResumedAfter', { ...back, id: after });
}
