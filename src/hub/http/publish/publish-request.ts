import type { UpdateDraft } from '../../update/check-update.js';
import type { FormLimits, FormPair } from '../../protocol/form.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

export const PUBLISH_FORM_LIMITS: FormLimits = { maxPairs: HUB_LIMITS.publishPairs, overflow: 'fields-too-many' };

/**
 * The draft that a publication's fields ask for (R29–R36): every `topic` counts, of other fields the first one does,
 * `private` counts by being there (R32), and unknown fields are ignored.
 */
export function draftFromForm(pairs: readonly FormPair[]): UpdateDraft {
  const topics: string[] = [];
  const first = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (name === 'topic') topics.push(value);
    else if (!first.has(name)) first.set(name, value);
  }
  return {
    topics,
    data: first.get('data'),
    id: first.get('id'),
    type: first.get('type'),
    retry: first.get('retry'),
    private: first.has('private'),
  };
}
