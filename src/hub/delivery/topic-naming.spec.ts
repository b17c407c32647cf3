import { describe, expect, it } from '@jest/globals';
import type { Update } from '../../storage/journal/update.js';
import { UNLIMITED } from '../../access/grants.js';
import { Interest } from '../matching/interest.js';
import { parseMatcher } from '../matching/matcher.js';
import { Cohort } from './cohort.js';
import { encodeEntry } from './log/recent-entry.js';
import { TopicNaming } from './topic-naming.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

function interestIn(...topics: string[]): Interest {
  return new Interest(
    topics.map((topic) => parseMatcher('exact', topic, HUB_URL)),
    HUB_URL,
  );
}

function entryOf(update: Partial<Update>): ReturnType<typeof encodeEntry> {
  return encodeEntry({
    position: 1,
    update: { topics: ['urn:a', 'urn:b'], data: 'x', id: 'urn:1', private: false, ...update },
  });
}

describe('frames that name topics', () => {
  it('are made once for each set of topics, however many readers take turns', () => {
    const naming = new TopicNaming();
    const entry = entryOf({});
    const readers = Array.from({ length: 1_000 }, (_, index) =>
      index % 2 === 0 ? interestIn('urn:a', `urn:${index}`) : interestIn('urn:a', 'urn:b', `urn:${index}`),
    );
    const named = readers.map((interest) =>
      new Cohort('', interest, UNLIMITED, { naming: { frames: naming, topics: true, trace: false } }).view(entry),
    );
    // None is made before it is to be written, because each may be large.
    expect(naming.encodings).toBe(0);
    const frames = new Set(named.map(({ bytes }) => bytes));
    expect([frames.size, naming.encodings]).toEqual([2, 2]);
    expect([...frames].map(({ plain }) => plain.toString())).toEqual([
      'id: urn:1\ntopic: urn:a\ndata: x\n\n',
      'id: urn:1\ntopic: urn:a\ntopic: urn:b\ndata: x\n\n',
    ]);
  });

  it('are not taken for those of another update with the same id at the same place', () => {
    const naming = new TopicNaming();
    const texts = ['first', 'second'].map((data) => naming.nameIn(entryOf({ data }), ['urn:a']).bytes.plain);
    expect(texts.map(String)).toEqual([
      'id: urn:1\ntopic: urn:a\ndata: first\n\n',
      'id: urn:1\ntopic: urn:a\ndata: second\n\n',
    ]);
  });
});
