import { describe, expect, it } from '@jest/globals';
import { slice, Stage } from '../../../test/support/reader-stage.js';

describe('the cursor that a reader is given', () => {
  /** The type and the id of each notice that came. The stage's ids say which place in the log they name. */
  async function told(stage: Stage): Promise<string[]> {
    await stage.outcome();
    return [
      ...stage.client.text.matchAll(/^id: (.+)\nevent: herald\n(?:retry: \d+\n)?data: \{"type":"([\w-]+)"/gm),
    ].map(([, id, type]) => `${type} ${id}`);
  }

  it('comes first to one that begins live', async () => {
    const stage = new Stage(7, { hasCursors: true });
    stage.reader.begin();
    expect(await told(stage)).toEqual(['cursor at-7-7']);
  });

  it('is the id of what ends a replay, and not before', async () => {
    const stage = new Stage(9, { cursor: 6, greeting: 'caught-up', hasCursors: true });
    stage.reader.begin();
    expect(await told(stage)).toEqual([]);
    stage.reader.takeSlice(slice(7, 9));
    stage.reader.leaveCatchUp();
    expect(await told(stage)).toEqual(['caught-up at-9-9']);
  });

  it('names the place that a reader which is behind has got to, and not the head', async () => {
    const stage = new Stage(20, { cursor: 1, greeting: 'caught-up', hasCursors: true });
    stage.reader.begin();
    // The reader remembers the id of the entry that it read last, which the log no longer has in memory.
    stage.reader.takeSlice(slice(2, 4));
    stage.connection.end('drain');
    expect(await told(stage)).toEqual(['drain at-4-4']);
  });

  it('names what comes before an update that is still pending', async () => {
    const stage = new Stage(10, { hasCursors: true });
    stage.reader.begin();
    stage.cohort.add(stage.append('1'), () => ['urn:a']);
    stage.log.head += 5;
    stage.connection.end('revoked');
    expect(await told(stage)).toEqual(['cursor at-10-10', 'revoked at-10-10']);
  });

  it('names the head while nothing is pending, however old its own is', async () => {
    const stage = new Stage(10, { hasCursors: true });
    stage.reader.begin();
    stage.log.head = 500;
    stage.connection.end('expired');
    expect(await told(stage)).toEqual(['cursor at-10-10', 'expired at-500-500']);
  });

  it('is given before an end by age', async () => {
    const stage = new Stage(10, { hasCursors: true });
    stage.reader.begin();
    stage.log.head = 12;
    stage.connection.end('max-age');
    expect(await told(stage)).toEqual(['cursor at-10-10', 'cursor at-12-12']);
  });

  it('goes with a gap: what comes after it is not missing', async () => {
    const stage = new Stage(20, { cursor: 2, greeting: 'caught-up', hasCursors: true });
    stage.reader.missId();
    stage.reader.begin();
    stage.reader.skip(11);
    stage.reader.takeSlice({
      first: 11,
      last: 12,
      lastId: undefined,
      bytes: undefined,
      updates: 0,
      damaged: 2,
      oldestPresence: 0,
    });
    expect(await told(stage)).toEqual(['gap at-2-undefined', 'gap at-10-10', 'gap at-12-12']);
  });

  it('names what comes before an update of which nobody knows yet whether it is wanted', async () => {
    const stage = new Stage(10, { hasCursors: true });
    stage.reader.begin();
    stage.log.head = 15;
    stage.log.matchedUpTo = () => 12;
    stage.connection.end('expired');
    expect(await told(stage)).toEqual(['cursor at-10-10', 'expired at-12-12']);
  });

  it('names no place of a history that has lost entries, and comes after the notice of that', async () => {
    const stage = new Stage(20, { cursor: 12, greeting: 'caught-up', hasCursors: true });
    stage.reader.begin();
    // The loss is noticed while the reader waits for its turn to catch up.
    Object.assign(stage.log, { history: 1, common: 8 });
    stage.connection.end('drain');
    expect(await told(stage)).toEqual(['reset at-8-8', 'drain at-8-8']);
  });

  it('is told to nobody where the dialect has none', async () => {
    const stage = new Stage(10);
    stage.reader.begin();
    stage.connection.end('max-age');
    expect(stage.client.text).not.toContain('id:');
  });
});
