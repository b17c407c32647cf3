import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Publisher, startHub } from '../support/hub.js';
import { Reader } from './reader.js';

describe('where the platform has no URLPattern,', () => {
  const platform = globalThis as { URLPattern?: unknown };
  const { URLPattern } = platform;

  beforeAll(() => {
    delete platform.URLPattern;
  });
  afterAll(() => {
    if (URLPattern) platform.URLPattern = URLPattern;
  });

  it('a pattern gets a connection of its own', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    reader.read({ pattern: 'https://example.com/books/:id' });
    reader.read('urn:t');
    await herald.waitForLog(/stream opened[^]*stream opened/);
    await reader.isOpen();
    await publisher.publish({ topic: 'https://example.com/books/1', data: '1' });
    await publisher.publish({ topic: 'urn:t', data: '2' });
    await reader.until(({ texts }) => texts.length === 2);

    expect(reader.texts.toSorted()).toEqual(['1', '2']);
  });
});
