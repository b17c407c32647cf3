import { describe, expect, it } from '@jest/globals';
import { Columns, originOf } from './columns.js';
import type { LogMessage } from './message-log.js';

let serial = 0;

function message(topic: string, type = 'message'): LogMessage {
  serial += 1;
  const rest = { at: 0, id: undefined, text: '', isReplayed: false, latency: undefined };
  return { kind: 'message', serial, topic, type, ...rest };
}

describe('Columns', () => {
  it('leaves out what all topics begin with, and is as wide as the rest', () => {
    const columns = new Columns();
    const entries = [message('https://example.com/orders/1'), message('https://example.com/orders/4007', 'created')];
    columns.update(entries);
    expect(columns).toMatchObject({ origin: 'https://example.com', topic: '…/orders/4007'.length, type: 7 });
    entries.push(message('/relative'), message('urn:x'));
    columns.update(entries);
    expect(columns.origin).toBe('https://example.com');
    entries.push(message('https://example.org/orders/1'));
    columns.update(entries);
    expect(columns).toMatchObject({ origin: undefined, topic: 'https://example.com/orders/4007'.length });
  });

  it('does not get narrower when rows leave, but when all have left', () => {
    const columns = new Columns();
    const entries = [message('urn:a:long:topic', 'long-type'), message('urn:b')];
    columns.update(entries);
    entries.shift();
    columns.update(entries);
    expect(columns).toMatchObject({ topic: 16, type: 9 });
    columns.update([message('urn:c')]);
    expect(columns).toMatchObject({ topic: 5, type: 0 });
  });

  it('takes what is put before the other entries, with serials of its own', () => {
    const columns = new Columns();
    const entries = [{ ...message('urn:b'), serial: -1 }, message('urn:c')];
    columns.update(entries);
    expect(columns.topic).toBe(5);
    columns.update([{ ...message('urn:older'), serial: -2 }, ...entries]);
    expect(columns.topic).toBe(9);
  });

  it('is bounded', () => {
    const columns = new Columns();
    columns.update([message('/'.padEnd(10_000, 'x'), 'y'.repeat(10_000))]);
    expect(columns).toMatchObject({ topic: 36, type: 18 });
  });
});

describe('originOf', () => {
  it.each([
    ['https://example.com/a?b=//c', 'https://example.com'],
    ['HTTP://Example.com:8080/a', 'HTTP://Example.com:8080'],
    ['https://example.com', ''],
    ['/a', ''],
    ['urn:a//b/c', ''],
    ['*', ''],
  ])('of %s is %j', (topic, origin) => {
    expect(originOf(topic)).toBe(origin);
  });
});
