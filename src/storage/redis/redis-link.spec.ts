import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RedisConnection } from './redis-connection.js';
import { RedisLink } from './redis-link.js';

/** A client that emits `end` while it is being disconnected, as ioredis does when its socket has gone already. */
class FailingClient extends EventEmitter {
  status = 'ready';
  disconnects = 0;

  disconnect(): void {
    this.disconnects += 1;
    // The status is set only afterwards, so a listener to `end` finds a client that seems to be connected.
    this.emit('end');
    this.status = 'end';
  }
}

describe('the link to Redis', () => {
  let link: RedisLink;
  const clients: FailingClient[] = [];
  const changes: (string | undefined)[] = [];

  afterEach(async () => {
    await link.close();
    clients.length = 0;
    changes.length = 0;
  });

  function open(): void {
    link = new RedisLink(
      () => {
        const client = new FailingClient();
        clients.push(client);
        return Promise.resolve({ client, append: '', locate: '', look: '' } as unknown as RedisConnection);
      },
      (trouble) => changes.push(trouble),
    );
  }

  it('drops a connection once that fails while it is being dropped, and makes one other', async () => {
    open();
    const first = await link.get(5_000);
    link.drop(first, 'it was slow');
    expect(link.current).toBeUndefined();
    const second = await link.get(5_000);
    expect(second).not.toBe(first);
    expect(clients.length).toBe(2);
    expect(clients[0]?.disconnects).toBe(1);
    expect(changes).toEqual([undefined, 'it was slow', undefined]);
  });

  it('leaves the next connection alone when one that is gone is dropped again', async () => {
    open();
    const first = await link.get(5_000);
    link.drop(first, 'it was slow');
    const second = await link.get(5_000);
    link.drop(first, 'its last command has failed as well');
    expect(link.current).toBe(second);
    expect(clients[1]?.disconnects).toBe(0);
  });

  it('tells everybody who waits when it is closed', async () => {
    open();
    const first = await link.get(5_000);
    link.drop(first, 'it was slow');
    const [waiting] = await Promise.all([link.get(60_000).catch((error: unknown) => error), link.close()]);
    expect(String(waiting)).toContain("Redis can't be reached");
  });
});
