import { describe, expect, it } from '@jest/globals';
import {
  type AbsentReader,
  EXPIRY,
  inMemory,
  inRedis,
  type LastingHub,
  type MakeToken,
  MAX_AGE,
  NOTHING_LOST,
  onDisk,
  type Seen,
  seenAfterAbsence,
  SIGKILL,
  SIGTERM,
} from '../support/absence.js';
import { describeWith, redisServer } from '../support/programs.js';
import type { HeaderFields, StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

/** A reader by the HTML standard. */
class StandardReader implements AbsentReader {
  private readonly before: string[] = [];

  private constructor(
    private client: StreamClient,
    private readonly open: (headers: HeaderFields) => Promise<StreamClient>,
  ) {}

  static over(transport: Transport) {
    return async (hub: LastingHub, path: string, makeToken: MakeToken | undefined): Promise<StandardReader> => {
      const credentials = makeToken === undefined ? {} : { authorization: `Bearer ${await makeToken()}` };
      return new StandardReader(await subscribeOver(transport, hub, path, credentials), (headers) =>
        subscribeOver(transport, hub, path, headers),
      );
    };
  }

  async until(condition: (seen: Seen) => boolean): Promise<Seen> {
    await this.client.until(() => condition(this.seen));
    return this.seen;
  }

  async away(): Promise<void> {
    await this.client.until(({ ended }) => ended);
  }

  async comeBack(): Promise<void> {
    const { client } = this;
    this.before.push(...client.events.map(({ data }) => data));
    this.client = await this.open({ 'last-event-id': client.lastEventId });
    await client[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]();
  }

  private get seen(): Seen {
    const { cursors, events } = this.client;
    return { cursors: cursors.length, events: [...this.before, ...events.map(({ data }) => data)] };
  }
}

describe.each(TRANSPORTS)('a reader of a quiet topic over %s', (transport) => {
  const open = StandardReader.over(transport);

  describe.each([
    ['has had no event yet', false],
    ['has had one that is trimmed by now', true],
  ])('that %s', (_, hasHadOne) => {
    it.concurrent.each([MAX_AGE, EXPIRY])(
      'gets what was published while it was away, after $name, and no gap',
      async (cause) => {
        const absence = { transport, makeLog: inMemory, cause, hasHadOne, open };
        expect(await seenAfterAbsence(absence)).toEqual(NOTHING_LOST);
      },
      60_000,
    );

    it.concurrent.each([SIGTERM, SIGKILL])(
      'gets what was published while it was away, after $name with LMDB, and no gap',
      async (cause) => {
        const absence = { transport, makeLog: onDisk, cause, hasHadOne, open };
        expect(await seenAfterAbsence(absence)).toEqual(NOTHING_LOST);
      },
      60_000,
    );
  });
});

describeWith(redisServer, 'a reader of a quiet topic with Redis', (program) => {
  it.concurrent.each(
    TRANSPORTS.flatMap((transport) => [SIGTERM, SIGKILL, MAX_AGE].map((cause) => ({ transport, cause }))),
  )(
    'gets what was published while it was away, over $transport, after $cause.name, and no gap',
    async ({ transport, cause }) => {
      const open = StandardReader.over(transport);
      const absence = { transport, makeLog: () => inRedis(program), cause, hasHadOne: true, open };
      expect(await seenAfterAbsence(absence)).toEqual(NOTHING_LOST);
    },
    60_000,
  );
});
