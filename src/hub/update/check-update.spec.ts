import { describe, expect, it } from '@jest/globals';
import { CheckedTopics } from './checked-topics.js';
import { checkUpdate, type UpdateDraft } from './check-update.js';
import { HubError } from '../../access/hub.errors.js';

const topics = new CheckedTopics(new URL('https://hub.example/.well-known/mercure'));
const TOPIC = 'https://example.com/books/1';

function check(draft: Partial<UpdateDraft>): ReturnType<typeof checkUpdate> {
  return checkUpdate({ topics: [TOPIC], ...draft }, { topics, newId: () => 'made' });
}

function codeOf(draft: Partial<UpdateDraft>): string {
  try {
    check(draft);
  } catch (error) {
    if (error instanceof HubError) return error.code;
  }
  return 'accepted';
}

describe('checkUpdate', () => {
  it('makes an update of the least that there can be', () => {
    expect(check({})).toEqual({ topics: [TOPIC], data: '', id: 'made', private: false });
  });

  it('keeps what the draft says', () => {
    const draft = {
      topics: [TOPIC, 'chat'],
      data: 'a\0\r\nb',
      id: 'urn:x~1',
      type: 'added é',
      retry: '01500',
      private: true,
    };
    expect(check(draft)).toEqual({ ...draft, retry: 1500 });
  });

  it('R33: makes an opaque id of its own, another one each time', () => {
    const ids = [1, 2].map(() => checkUpdate({ topics: [TOPIC] }, { topics }).id);
    expect(ids[0]).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('takes an empty id, type or retry, and a retry of 0, for none', () => {
    expect(check({ id: '', type: '', retry: '' })).toEqual(check({}));
    expect(check({ retry: '0' })).toEqual(check({}));
    expect(check({ retry: 0 })).toEqual(check({}));
  });

  it.each<[string, Partial<UpdateDraft>]>([
    ['topic-missing', { topics: [] }],
    ['topics-too-many', { topics: Array.from({ length: 1001 }, (_, index) => `topic ${index}`) }],
    ['topic-too-long', { topics: ['é'.repeat(2049)] }],
    ['topic-invalid', { topics: [TOPIC, 'a\u200bb'] }],
    ['topic-reserved', { topics: [TOPIC, '*'] }],
    ['topic-reserved', { topics: [TOPIC, 'mercure/subscriptions'] }],
    ['topic-reserved', { topics: [''] }],
    ['id-invalid', { id: '#1' }],
    ['id-invalid', { id: 'earliest' }],
    ['id-invalid', { id: 'herald-cursor:' }],
    ['id-invalid', { id: 'a b' }],
    ['id-invalid', { id: 'é' }],
    ['id-invalid', { id: 'a\nid: b' }],
    ['id-too-long', { id: 'a'.repeat(256) }],
    ['type-invalid', { type: 'a\nb' }],
    ['type-invalid', { type: 'a\ud800' }],
    ['type-too-long', { type: 'a'.repeat(256) }],
    ...['mercure', 'herald', 'open', 'error'].map((type): [string, Partial<UpdateDraft>] => ['type-invalid', { type }]),
    ...['-1', '+1', '1e3', '1.5', ' 1', '٣', '3600001', '9'.repeat(400)].map(
      (retry): [string, Partial<UpdateDraft>] => ['retry-invalid', { retry }],
    ),
    ...[-1, 1.5, NaN, Infinity, 1e21].map((retry): [string, Partial<UpdateDraft>] => ['retry-invalid', { retry }]),
    ['data-invalid', { data: 'a\ud800' }],
  ])('answers %s to what breaks the rule (%#)', (code, draft) => {
    expect(codeOf(draft)).toBe(code);
  });

  it.each<Partial<UpdateDraft>>([
    { topics: Array.from({ length: 1000 }, (_, index) => `topic ${index}`) },
    { topics: ['é'.repeat(2048)] },
    { topics: ['**'] },
    { id: '!'.repeat(255) },
    { id: 'earliest#' },
    { type: 'message' },
    { type: 'Error' },
    { retry: 3_600_000 },
    { data: '\ufeff\u2028' },
  ])('accepts what just keeps the rules (%#)', (draft) => {
    expect(codeOf(draft)).toBe('accepted');
  });

  it('never repeats what it refuses', () => {
    expect(() => check({ topics: ['secret\n'] })).toThrow(/^(?!.*secret)/);
    expect(() => check({ id: 'secret \n' })).toThrow(/^(?!.*secret)/);
  });
});
