import { describe, expect, it } from '@jest/globals';
import { parseBatch } from './publish-batch.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

function parse(text: string): unknown[] {
  return [...parseBatch(Buffer.from(text))].map((line) => line.ok ?? line.error?.code);
}

function messageFor(line: string): string | undefined {
  return parseBatch(Buffer.from(line)).next().value?.error?.message;
}

describe('parseBatch', () => {
  it('reads one draft a line', () => {
    const lines = [
      '{"topic":"a"}',
      '{"topics":["a","b"],"data":"hello","id":"1","type":"t","retry":5,"private":true}',
      '{"topic":"a","topics":["b"],"unknown":{"__proto__":1},"private":false}',
    ];
    expect(parse(lines.join('\n'))).toEqual([
      { topics: ['a'], private: false },
      { topics: ['a', 'b'], data: 'hello', id: '1', type: 't', retry: 5, private: true },
      { topics: ['a', 'b'], private: false },
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
    expect(parse(`{"topic":"a","data":${data}}`)).toEqual([{ topics: ['a'], data: text, private: false }]);
  });

  it('skips empty lines, ends lines with LF or CRLF, and needs no end of the last one', () => {
    const one = { topics: ['a'], private: false };
    expect(parse('')).toEqual([]);
    expect(parse('\n\r\n\n')).toEqual([]);
    expect(parse('{"topic":"a"}\r\n\n{"topic":"a"}')).toEqual([one, one]);
  });

  it.each([
    'x',
    '[]',
    '"a"',
    'null',
    '1',
    '{"topic":1}',
    '{"topic":null}',
    '{"topics":"a"}',
    '{"topics":[1]}',
    '{"id":1}',
    '{"retry":"5"}',
    '{"private":"on"}',
    '{"type":{}}',
    '{"topic":"a"',
    '{"topic":"a"} {"topic":"b"}',
    ' ',
  ])('makes an error of the line %s, and reads on', (line) => {
    expect(parse(`${line}\n{"topic":"a"}`)).toEqual(['batch-line-invalid', { topics: ['a'], private: false }]);
  });

  it('makes an error of a line that is not UTF-8, or nests too deeply', () => {
    expect([...parseBatch(Buffer.from('{"topic":"\u00ff"}', 'latin1'))][0]?.error?.message).toContain('UTF-8');
    const deep = `{"topic":"a","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(parse(deep)).toEqual(['batch-line-invalid']);
  });

  it('says which field is wrong, and never what is in it', () => {
    expect(messageFor('{"retry":"secret"}')).toBe('The field "retry" must be of type number.');
    expect(messageFor('{"topics":["a",1]}')).toBe('The field "topics" must be of type array of strings.');
    expect(messageFor('[]')).toBe('The line must be a JSON object.');
    expect(messageFor('{"secret"}')).not.toContain('secret');
    expect(messageFor('{"secret":1,"topic":1}')).not.toContain('secret');
  });

  it('reads a line only when it is asked for', () => {
    const batch = parseBatch(Buffer.from('{"topic":"a"}\nx\n'));
    expect(batch.next().value).toEqual({ ok: { topics: ['a'], private: false } });
    expect(batch.next().value?.error?.code).toBe('batch-line-invalid');
    expect(batch.next().done).toBe(true);
  });

  it('refuses a batch of too many lines before it reads one', () => {
    const lines = '\n{}\n'.repeat(HUB_LIMITS.batchLines);
    expect([...parseBatch(Buffer.from(lines))]).toHaveLength(HUB_LIMITS.batchLines);
    expect(() => parseBatch(Buffer.from(`${lines}{}`))).toThrow(
      expect.objectContaining({ code: 'batch-lines-too-many' }),
    );
  });
});
