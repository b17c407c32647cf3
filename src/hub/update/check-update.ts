import type { Update } from '../../storage/journal/update.js';
import { CURSOR_PREFIX, isCursor } from '../cursors/cursors.js';
import { HubError } from '../../access/hub.errors.js';
import type { CheckedTopics } from './checked-topics.js';
import { newEventId } from './event-id.js';
import { isCleanText, isWellFormed } from '../matching/text-rules.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';

/** What a publisher asks for, unchecked: from a form, from a line of a batch, or from code. */
export interface UpdateDraft {
  readonly topics: readonly string[];
  /** Default: empty. */
  readonly data?: string | undefined;
  /** Default, also when empty: an id that the hub makes. */
  readonly id?: string | undefined;
  /** Default, also when empty: none, which clients see as `message`. */
  readonly type?: string | undefined;
  /** Milliseconds, as a number or in digits. Default, also when empty or 0: none. */
  readonly retry?: string | number | undefined;
  /** Default: false. */
  readonly private?: boolean;
  /** Where it belongs in a distributed trace. One that is not valid counts as none (W3C Trace Context). */
  readonly traceparent?: string | undefined;
}

export interface CheckUpdateOptions {
  readonly topics: CheckedTopics;
  /** Makes the id of an update that has none. Default: a random `urn:uuid:`. */
  readonly newId?: () => string;
}

const EVENT_ID = /^[\x21-\x7e]+$/;

/**
 * `mercure` is the protocol's, `herald` the hub's own notices; an event named `open` or `error` can't be told from what
 * `EventSource` dispatches itself.
 */
const RESERVED_TYPES: ReadonlySet<string> = new Set(['mercure', 'herald', 'open', 'error']);

/**
 * The update that `draft` asks for (R29–R35), with an id if it had none.
 *
 * An id that the publisher chooses must be 1 to 255 visible ASCII characters, which is stricter than R33: clients send
 * the id back in a header, and an id with other characters makes several of them unable to reconnect and crashes two.
 *
 * @throws HubError with the code of the first rule that is broken
 */
export function checkUpdate(draft: UpdateDraft, { topics: checked, newId = newEventId }: CheckUpdateOptions): Update {
  const topics = checked.of(draft.topics);
  const { data = '' } = draft;
  if (!isWellFormed(data)) throw new HubError('data-invalid', 'The data is not well-formed Unicode.');
  const type = checkType(draft.type);
  const retry = checkRetry(draft.retry);
  const update = {
    topics,
    data,
    id: checkId(draft.id) ?? newId(),
    private: draft.private ?? false,
  };
  // Most updates have neither, and each spread takes as long as the object itself.
  if (type === undefined && retry === undefined) return update;
  return { ...update, ...(type !== undefined && { type }), ...(retry !== undefined && { retry }) };
}

function checkId(id: string | undefined): string | undefined {
  if (id === undefined || id === '') return undefined;
  if (id.length > HUB_LIMITS.idLength) {
    throw new HubError('id-too-long', `The id may be at most ${HUB_LIMITS.idLength} characters.`);
  }
  if (!EVENT_ID.test(id)) {
    throw new HubError('id-invalid', 'The id must be visible ASCII characters: other ids break clients.');
  }
  if (id.startsWith('#')) throw new HubError('id-invalid', 'The id must not start with "#".');
  if (isCursor(id)) throw new HubError('id-invalid', `The id must not start with "${CURSOR_PREFIX}".`);
  if (id === 'earliest') throw new HubError('id-invalid', 'The id "earliest" is reserved.');
  return id;
}

function checkType(type: string | undefined): string | undefined {
  if (type === undefined || type === '') return undefined;
  if (type.length > HUB_LIMITS.typeLength) {
    throw new HubError('type-too-long', `The type may be at most ${HUB_LIMITS.typeLength} characters.`);
  }
  if (!isCleanText(type)) {
    throw new HubError('type-invalid', 'The type contains a control, formatting or malformed character.');
  }
  if (RESERVED_TYPES.has(type)) {
    throw new HubError('type-invalid', `The types ${[...RESERVED_TYPES].join(', ')} are reserved.`);
  }
  return type;
}

function checkRetry(retry: string | number | undefined): number | undefined {
  if (retry === undefined || retry === '') return undefined;
  const digits = String(retry);
  const milliseconds = /^[0-9]+$/.test(digits) ? Number(digits) : NaN;
  if (!(milliseconds <= HUB_LIMITS.retryMilliseconds)) {
    throw new HubError(
      'retry-invalid',
      `The retry time must be digits only, at most ${HUB_LIMITS.retryMilliseconds} milliseconds.`,
    );
  }
  // A client that is told to wait for nothing reconnects in a hot loop.
  return milliseconds === 0 ? undefined : milliseconds;
}
