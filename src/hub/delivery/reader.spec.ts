import { describe, expect, it } from '@jest/globals';
import { behind, full, LARGE, slice, Stage } from '../../../test/support/reader-stage.js';
import { OutstandingBytes } from '../../streams/registry/outstanding-bytes.js';
import { joinFrom } from './joint.js';

describe('a reader', () => {
  it('new → live: it has missed nothing', async () => {
    const stage = new Stage(5);
    expect(await stage.outcome()).toEqual({ state: 'new', cursor: 5, isInLane: false, seen: [] });
    stage.reader.begin();
    expect(await stage.outcome()).toEqual({ state: 'live', cursor: 5, isInLane: false, seen: [] });
  });

  it('new → live: it asked for a replay, and there is nothing to replay', async () => {
    const stage = new Stage(5, { greeting: 'caught-up' });
    stage.reader.begin();
    expect(await stage.outcome()).toEqual({ state: 'live', cursor: 5, isInLane: false, seen: ['caught-up'] });
  });

  it('new → behind: it has missed something', async () => {
    expect(await behind().outcome()).toEqual({ state: 'behind', cursor: 2, isInLane: true, seen: [] });
  });

  it('new → behind: it asked for an id that is not held', async () => {
    const stage = new Stage(5, { cursor: 0, greeting: 'caught-up' });
    stage.reader.missId();
    stage.reader.begin();
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 0, isInLane: true, seen: ['gap'] });
  });

  it('new → behind: its cursor belongs to a history that is gone', async () => {
    const stage = new Stage(5);
    stage.log.history = 1;
    stage.reader.begin();
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 5, isInLane: true, seen: [] });
  });

  it('new → over: it was ended before it began, and nothing is written to it', async () => {
    const stage = new Stage(5);
    stage.connection.end('max-age');
    stage.reader.missId();
    stage.reader.begin();
    expect(await stage.outcome()).toEqual({ state: 'over', cursor: 5, isInLane: false, seen: [] });
  });

  it('live → live: it takes a round', async () => {
    const stage = new Stage(5);
    stage.reader.begin();
    stage.publish('a', 'b');
    stage.publish('c');
    expect(await stage.outcome()).toEqual({ state: 'live', cursor: 8, isInLane: false, seen: ['a', 'b', 'c'] });
  });

  it('live → live: a heartbeat or one update that fills the socket owes it nothing', async () => {
    expect(await full().outcome()).toEqual({ state: 'live', cursor: 1, isInLane: false, seen: ['x'] });
  });

  it('live → behind: its socket is full when something new comes, and it waits for it outside the lane', async () => {
    const stage = full();
    stage.publish('a');
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 1, isInLane: false, seen: ['x'] });
  });

  it('live → behind: its socket is full after a part of what is pending', async () => {
    const stage = new Stage(0);
    stage.reader.begin();
    stage.client.isReading = false;
    stage.publish(LARGE, LARGE, 'a');
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 1, isInLane: false, seen: ['x'] });
  });

  it('live → behind: what is pending is too much for one go', async () => {
    const stage = new Stage(0);
    stage.reader.begin();
    stage.publish(...Array.from({ length: 30 }, () => LARGE));
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 0, isInLane: true, seen: [] });
  });

  it('live → behind: memory is used up by what others have not taken; small updates still come', async () => {
    const stage = new Stage(0);
    stage.reader.begin();
    const exhausted = new OutstandingBytes(1);
    exhausted.add(1);
    Object.assign(stage.connection, { outstanding: exhausted });
    stage.publish('a');
    expect(await stage.outcome()).toEqual({ state: 'live', cursor: 1, isInLane: false, seen: ['a'] });
    stage.publish(LARGE);
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 1, isInLane: true, seen: ['a'] });
  });

  it('live → behind: its round was broken off, before what is pending', async () => {
    const stage = new Stage(3);
    stage.reader.begin();
    stage.append('unwanted');
    stage.cohort.add(stage.append('a'), () => ['urn:a']);
    stage.cohort.disperse(5, 5);
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 4, isInLane: true, seen: [] });
  });

  it('live → behind: its cohort lets it read on, and it keeps to the plan that it has begun', async () => {
    const stage = new Stage(3);
    stage.reader.begin();
    for (const data of ['a', 'b', 'c']) stage.append(data);
    stage.reader.disperse(4);
    expect([stage.reader.plan, stage.reader.next]).toEqual([undefined, 5]);
    const plan = { positions: [5, 7], upTo: 7, after: 3 };
    stage.reader.takeSlice({ ...slice(5, 5, 'b'), plan });
    expect([stage.reader.plan, stage.reader.next]).toEqual([plan, 7]);
    stage.reader.takeSlice(slice(6, 7, 'c'));
    expect([stage.reader.plan, stage.reader.next]).toEqual([undefined, 8]);
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 7, isInLane: true, seen: ['b', 'c'] });
  });

  it('behind → behind: it takes a slice, and is told where one begins further on', async () => {
    const stage = behind();
    expect(stage.reader.takeSlice(slice(3, 3, 'a'))).toBe(true);
    expect(stage.reader.takeSlice(slice(5, 5, 'b'))).toBe(true);
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 5, isInLane: true, seen: ['a', 'gap', 'b'] });
    expect(stage.client.text).toContain('"updates":1');
  });

  it('behind → behind: it is told of what is damaged, and goes on after it', async () => {
    const stage = behind();
    stage.reader.takeSlice({
      first: 3,
      last: 4,
      lastId: undefined,
      bytes: undefined,
      updates: 0,
      damaged: 2,
      oldestPresence: 0,
    });
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 4, isInLane: true, seen: ['gap'] });
    expect(stage.client.text).toContain('"reason":"damaged","updates":2');
  });

  it('behind → behind: it is told once of comings and goings that are missing, and again where more are', async () => {
    const stage = behind();
    stage.reader.takeSlice(slice(3, 3, 'a', 9));
    stage.reader.takeSlice(slice(4, 4, 'b', 9));
    expect(await stage.outcome()).toMatchObject({ cursor: 4, seen: ['gap', 'a', 'b'] });
    expect(stage.client.text).toContain('"reason":"presence"');
    stage.reader.takeSlice(slice(5, 5, 'c', 12));
    expect(await stage.outcome()).toMatchObject({ cursor: 5, seen: ['gap', 'a', 'b', 'gap', 'c'] });
  });

  it('behind → behind: a slice fills its socket', async () => {
    const stage = behind();
    stage.client.isReading = false;
    expect(stage.reader.takeSlice(slice(3, 3, LARGE))).toBe(false);
    stage.reader.leaveCatchUp();
    expect(stage.lane).toHaveLength(1);
    stage.client.read();
    expect(stage.lane).toHaveLength(2);
  });

  it('behind → behind: what comes next is no longer held', async () => {
    const stage = behind();
    stage.reader.skip(5);
    expect(await stage.outcome()).toEqual({ state: 'behind', cursor: 4, isInLane: true, seen: ['gap'] });
    expect(stage.client.text).toContain('"updates":2');
  });

  it.each([
    ['is told, if it had got more than is left', 1, { cursor: 1, seen: ['reset'] }],
    ['is not told, if it had not', 4, { cursor: 2, seen: [] }],
  ])('behind → behind: the log went back, and it %s', async (_, common, expected) => {
    const stage = behind();
    Object.assign(stage.log, { history: 1, common });
    expect(stage.reader.isOutdated).toBe(true);
    stage.reader.goBack();
    expect(stage.reader.isOutdated).toBe(false);
    expect(await stage.outcome()).toEqual({ state: 'behind', isInLane: true, ...expected });
  });

  it('behind → live: it has taken everything, which it is told once', async () => {
    const stage = behind();
    stage.reader.takeSlice(slice(3, 5, 'a'));
    stage.reader.leaveCatchUp();
    expect(await stage.outcome()).toMatchObject({ state: 'live', cursor: 5, seen: ['a', 'caught-up'] });
    stage.publish('b');
    expect(await stage.outcome()).toMatchObject({ state: 'live', cursor: 6, seen: ['a', 'caught-up', 'b'] });
  });

  it('behind → behind: it leaves the lane before it has everything, and goes back to the end of it', async () => {
    const stage = behind();
    stage.reader.leaveCatchUp();
    expect(stage.lane).toHaveLength(2);
  });

  it('behind → live: its socket has drained, and everything was offered', async () => {
    const stage = full();
    stage.publish('a');
    stage.reader.takeSlice(slice(2, 2, 'a'));
    stage.client.read();
    expect(await stage.outcome()).toMatchObject({ state: 'live', cursor: 2, seen: ['x', 'a'] });
  });

  it('behind → behind: its socket has drained while it is in the lane, which has it once', async () => {
    const stage = behind();
    stage.client.isReading = false;
    stage.connection.write(Buffer.from(LARGE));
    stage.client.read();
    expect(stage.lane).toHaveLength(1);
  });

  it.each([
    ['new', () => new Stage(0)],
    ['live', full],
    ['behind', behind],
  ])('%s → over: it is told to end, and nothing is written after that', async (_, make) => {
    const stage = make();
    stage.connection.end('drain');
    expect(stage.reader.state).toBe('over');
    const { text } = stage.client;
    stage.reader.offer(joinFrom([stage.append('a')], 0, 1));
    stage.reader.drained();
    stage.reader.leaveCatchUp();
    stage.reader.disperse(9);
    stage.connection.heartbeat();
    expect(stage.client.text).toBe(text);
    expect(stage.cohort.isEmpty).toBe(true);
    stage.client.read();
    stage.client.destroy();
    await new Promise(setImmediate);
    expect(stage.happened).toEqual(['over', 'drain']);
  });

  it('any → over: its client has left', async () => {
    const stage = behind();
    stage.client.destroy();
    await new Promise(setImmediate);
    expect(stage.happened).toEqual(['over', 'disconnected']);
    expect(stage.reader.state).toBe('over');
    stage.reader.leaveCatchUp();
    expect(stage.lane).toHaveLength(1);
  });
});
