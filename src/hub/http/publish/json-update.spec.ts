import { describe, expect, it } from '@jest/globals';
import { HubError } from '../../../access/hub.errors.js';
import { bytesInUse } from '../../../../test/support/memory.js';
import { readUpdate } from './json-update.js';

function parse(line: string | Uint8Array): unknown {
  try {
    return readUpdate(Buffer.from(line), 'batch-line-invalid').draft;
  } catch (error) {
    return (error as HubError).code;
  }
}

function messageFor(line: string | Uint8Array): string {
  try {
    readUpdate(Buffer.from(line), 'batch-line-invalid');
    return '';
  } catch (error) {
    return (error as HubError).message;
  }
}

describe('readUpdate', () => {
  it('keeps nothing of the text that a line was cut from', async () => {
    const line = JSON.stringify({ topic: 'https://hub.example/a-topic', data: 'd'.repeat(100), key: 'k'.repeat(30) });
    const before = await bytesInUse();
    const kept = Array.from({ length: 500 }, () => {
      const text = Buffer.from(`${line}\n`.repeat(300)).toString();
      return readUpdate(text.slice(0, line.length), 'batch-line-invalid');
    });
    expect((await bytesInUse()) - before).toBeLessThan(5_000_000);
    expect(kept).toHaveLength(500);
  });

  it('reads a draft', () => {
    const lines = [
      '{"topic":"a"}',
      '{"topics":["a","b"],"data":"hello","id":"1","type":"t","retry":5,"private":true}',
      '{"topic":"a","topics":["b"],"unknown":{"__proto__":1},"private":false}',
      '{"topic":["a","b"],"topics":["c"]}',
    ];
    expect(lines.map(parse)).toEqual([
      { topics: ['a'], private: false },
      { topics: ['a', 'b'], data: 'hello', id: '1', type: 't', retry: 5, private: true },
      { topics: ['a', 'b'], private: false },
      { topics: ['a', 'b', 'c'], private: false },
    ]);
  });

  it.each([
    ['"text"', 'text'],
    ['""', ''],
    ['{"a":[1,"é"]}', '{"a":[1,"é"]}'],
    ['null', 'null'],
    ['0', '0'],
    ['false', 'false'],
    ['[ 1 ]', '[1]'],
  ])('takes data %s for the text %s', (data, text) => {
    expect(parse(`{"topic":"a","data":${data}}`)).toEqual({ topics: ['a'], data: text, private: false });
  });

  it.each([
    'x',
    '[]',
    '"a"',
    'null',
    '1',
    '{"topic":1}',
    '{"topic":null}',
    '{"topic":["a",1]}',
    '{"topics":"a"}',
    '{"topics":[1]}',
    '{"id":1}',
    '{"retry":"5"}',
    '{"private":"on"}',
    '{"type":{}}',
    '{"topic":"a"',
    '{"topic":"a"} {"topic":"b"}',
    ' ',
    '{"key":1}',
  ])('refuses %s', (line) => {
    expect(parse(line)).toBe('batch-line-invalid');
  });

  it('reads an idempotency key, and refuses one that is none', () => {
    expect(readUpdate(Buffer.from('{"topic":"a","key":"k-1"}'), 'json-invalid')).toEqual({
      draft: { topics: ['a'], private: false },
      idempotencyKey: 'k-1',
    });
    for (const key of ['', 'k 1', 'é', 'k'.repeat(256)]) {
      expect(parse(JSON.stringify({ topic: 'a', key }))).toBe('idempotency-key-invalid');
    }
  });

  it('refuses a line that is not UTF-8, or nests too deeply', () => {
    expect(messageFor(Buffer.from('{"topic":"\u00ff"}', 'latin1'))).toContain('UTF-8');
    const deep = `{"topic":"a","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(parse(deep)).toBe('batch-line-invalid');
  });

  it('says which field is wrong, and never what is in it', () => {
    expect(messageFor('{"retry":"secret"}')).toBe('The field "retry" must be of type number.');
    expect(messageFor('{"topics":["a",1]}')).toBe('The field "topics" must be of type array of strings.');
    expect(messageFor('[]')).toBe('The update must be a JSON object.');
    expect(messageFor('{"secret"}')).not.toContain('secret');
    expect(messageFor('{"secret":1,"topic":1}')).not.toContain('secret');
  });
});
