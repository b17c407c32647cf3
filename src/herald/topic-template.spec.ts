import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { topicTemplate } from './topic-template.js';

describe('a topic template', () => {
  it.each<[string, object, string]>([
    ['https://example.com/orders/:id', { id: 7 }, 'https://example.com/orders/7'],
    ['https://example.com:8443/orders/:id', { id: 7n }, 'https://example.com:8443/orders/7'],
    ['/orders/:id/:line_2', { id: 'a', line_2: true }, '/orders/a/true'],
    ['/files/:name.:ext', { name: 'x', ext: 'pdf' }, '/files/x.pdf'],
    ['urn:order::id', { id: 7, order: 8 }, 'urn:order:7'],
    ['urn::kind::id', { id: 7, kind: 'order' }, 'urn:order:7'],
    ['urn:room:1', {}, 'urn:room:1'],
    ['*', {}, '*'],
    ['/days/:day', { day: new Date(0) }, '/days/1970-01-01T00%3A00%3A00.000Z'],
    ['/things/:_id', { _id: { toJSON: () => '5f' } }, '/things/5f'],
  ])('%s of %j is %s', (text, value, topic) => {
    expect(topicTemplate(text)([value])).toBe(topic);
  });

  it('takes a value from the first source that has one', () => {
    const topic = topicTemplate('/:a/:b');
    expect(
      topic([
        { a: 1, b: undefined },
        { a: 2, b: 3 },
      ]),
    ).toBe('/1/3');
    expect(topic([undefined, null, 'text', { a: '', b: {} }, { a: 2, b: 3 }])).toBe('/2/3');
  });

  it('takes values from getters, and none from what every object has', () => {
    class Order {
      get id(): number {
        return 7;
      }
    }
    expect(topicTemplate('/:id')([new Order()])).toBe('/7');
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(() => topicTemplate(`/:${name}`)([new Order()])).toThrow(`":${name}" has no value`);
    }
  });

  it.each([undefined, null, '', NaN, {}, [], ['7'], () => 7, Symbol('7')])('has no topic for %p', (id) => {
    expect(() => topicTemplate('/orders/:id')([{ id }])).toThrow('":id" has no value');
  });

  it.each(['.', '..'])('refuses "%s", which would lead to another topic', (id) => {
    expect(() => topicTemplate('/orders/:id')([{ id }])).toThrow('":id" has a value that no segment');
  });

  it('is refused when it is empty', () => {
    expect(() => topicTemplate('')).toThrow('is empty');
  });

  it.each(['urn:order:id', '/v:version', '/:from:to', 'https://me:password@example.com/'])(
    'is refused where nobody can tell what is a placeholder, as in %s',
    (text) => {
      expect(() => topicTemplate(text)).toThrow('right behind a letter');
    },
  );

  it('keeps a value within its segment, whatever it is', () => {
    const topic = topicTemplate('https://example.com/orders/:id/lines');
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (id) => {
        fc.pre(id !== '.' && id !== '..');
        const { pathname, search, hash } = new URL(topic([{ id }]));
        const [, orders, segment = '', lines, ...others] = pathname.split('/');
        expect([orders, decodeURIComponent(segment), lines, others, search, hash]).toEqual([
          'orders',
          id,
          'lines',
          [],
          '',
          '',
        ]);
      }),
    );
  });
});
