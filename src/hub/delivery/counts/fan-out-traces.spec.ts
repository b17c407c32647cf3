import { describe, expect, it } from '@jest/globals';
import type { SpanAttributes, Tracer } from '../../../shared/trace/tracer.js';
import type { Entry } from '../../../storage/journal/journal.js';
import { FanOutTraces } from './fan-out-traces.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Notes what it is told. */
class Notes implements Tracer {
  readonly counts = { exported: 0, dropped: 0, failed: 0 };
  begun = 0;
  readonly ended: [id: unknown, cohorts: unknown, deliveries: unknown][] = [];

  begin() {
    this.begun += 1;
    return {
      traceparent: TRACEPARENT,
      end: (attributes: SpanAttributes = {}) => {
        const { 'messaging.message.id': id, 'herald.cohorts': cohorts, 'herald.deliveries': deliveries } = attributes;
        this.ended.push([id, cohorts, deliveries]);
      },
    };
  }

  drop(): void {
    this.counts.dropped += 1;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function entryAt(position: number, traceparent: string | undefined = TRACEPARENT): Entry {
  const update = { topics: ['urn:a'], data: '', id: String(position), private: false };
  return { position, update: { ...update, ...(traceparent !== '' && { traceparent }) } };
}

describe('the span of an update on its way', () => {
  it('ends when all cohorts are found that want it and each has offered it', () => {
    const notes = new Notes();
    const traces = new FanOutTraces(notes);
    traces.arrived(entryAt(1));
    traces.owed(1);
    traces.offered(1, 2);
    expect(notes.ended).toEqual([]);
    traces.owed(1);
    traces.matchedUpTo(1);
    expect(notes.ended).toEqual([]);
    traces.offered(1, 3);
    expect(notes.ended).toEqual([['1', 2, 5]]);
  });

  it('ends at once where nobody wants it, and not before that is known', () => {
    const notes = new Notes();
    const traces = new FanOutTraces(notes);
    traces.arrived(entryAt(1));
    traces.arrived(entryAt(2));
    expect(notes.ended).toEqual([]);
    traces.matchedUpTo(1);
    expect(notes.ended).toEqual([['1', 0, 0]]);
    traces.endAll();
    traces.offered(2, 1);
    expect(notes.ended).toEqual([
      ['1', 0, 0],
      ['2', 0, 0],
    ]);
  });

  it('is not begun where the trace is not recorded, or there is none', () => {
    const notes = new Notes();
    const traces = new FanOutTraces(notes);
    traces.arrived(entryAt(1, ''));
    traces.arrived(entryAt(2, TRACEPARENT.replace(/01$/, '02')));
    traces.arrived(entryAt(3, TRACEPARENT.replace(/01$/, '03')));
    expect(notes.begun).toBe(1);
  });

  it('is dropped and counted where too many are under way', () => {
    const notes = new Notes();
    const traces = new FanOutTraces(notes);
    for (let position = 1; position <= 1_010; position += 1) traces.arrived(entryAt(position));
    expect([notes.begun, notes.counts.dropped]).toEqual([1_000, 10]);
  });
});
