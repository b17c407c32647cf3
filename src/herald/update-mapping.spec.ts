import { describe, expect, it } from '@jest/globals';
import { draftMaker } from './update-mapping.js';

interface Order {
  readonly id: number;
  readonly secret: string;
}

const ORDER: Order = { id: 7, secret: 'x' };

describe('a mapping', () => {
  it('publishes the value as JSON to the topics that it fills', () => {
    expect(draftMaker<Order, string>({ topics: ['/orders/:id', '/orders'] })(ORDER, 'shipped')).toEqual({
      topics: ['/orders/7', '/orders'],
      data: '{"id":7,"secret":"x"}',
      type: undefined,
      private: false,
    });
  });

  it('asks its functions, which know the value and where it comes from', () => {
    const draftOf = draftMaker<Order, string>({
      topics: ({ id }, name) => `/:literal/${id}/${name}`,
      map: ({ id }) => ({ id }),
      type: (_, name) => name,
      private: ({ id }) => id === 7,
    });
    expect(draftOf(ORDER, 'shipped')).toEqual({
      topics: ['/:literal/7/shipped'],
      data: '{"id":7}',
      type: 'shipped',
      private: true,
    });
  });

  it('publishes nothing where it says so', () => {
    const draftOf = draftMaker<Order, string>({ topics: '/orders/:id', when: ({ id }) => id === 8 });
    expect(draftOf(ORDER, '')).toBeUndefined();
    expect(draftOf({ ...ORDER, id: 8 }, '')).toBeDefined();
  });

  it.each([
    [undefined, 'null'],
    [null, 'null'],
    ['text', '"text"'],
    [[1], '[1]'],
  ])('publishes %p as %s', (value, data) => {
    expect(draftMaker({ topics: '/all' })(value, '')).toMatchObject({ data });
  });

  it('takes everything but `false` for private, where somebody has no types', () => {
    const isPrivate = (() => Promise.resolve(false)) as unknown as () => boolean;
    expect(draftMaker({ topics: '/all', private: isPrivate })(1, '')).toMatchObject({ private: true });
  });

  it('refuses data that is a promise, also one that is rejected', () => {
    for (const map of [() => Promise.resolve(1), () => Promise.reject(new Error('away'))]) {
      expect(() => draftMaker({ topics: '/all', map })(1, '')).toThrow('is a promise');
    }
  });

  it('is refused without a topic, when it is made', () => {
    expect(() => draftMaker({ topics: [] })).toThrow('no topic');
    expect(() => draftMaker({ topics: ['/all', ''] })).toThrow('is empty');
  });
});
