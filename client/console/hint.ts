import { t } from './translation.js';

/** What to do about a refusal with this status. */
export function hintFor(status: number): string {
  return status === 401 || status === 403 ? t('refusedToken') : t('refusedTopic');
}
