import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LINE_LIMIT, Stage } from '../../../../../test/support/batch-stage.js';
import { HUB_LIMITS } from '../../../limits/hub.limits.js';
import type { BatchEnd } from './batch.js';

describe('Batch', () => {
  it('answers a short batch in one write, whose length is announced', async () => {
    const stage = new Stage(Infinity, { 'content-length': '4' });
    stage.send('a\nb\n');
    stage.finish();
    await stage.settle();
    stage.answerAll();
    await stage.settle();
    expect(stage.response).toMatchObject({ text: 'a\nb\n', isEnded: true, heads: [{ 'content-length': 4 }] });
  });

  it('sends no status before all is stored where the length of the body was announced', async () => {
    const stage = new Stage(Infinity, { 'content-length': '6' });
    stage.send('a\nb\n');
    await stage.settle();
    stage.answerAll();
    // One that has begun later, and sends its head alone.
    const other = new Stage();
    while (other.response.heads.length === 0) await setImmediate();
    expect(stage.response.heads).toEqual([]);
    stage.send('c\n');
    stage.finish();
    await stage.settle();
    expect(stage.response.heads).toEqual([]);
    stage.answerAll();
    await stage.settle();
    expect(stage.response).toMatchObject({ text: 'a\nb\nc\n', isEnded: true, heads: [{ 'content-length': 6 }] });
  });

  it('begins to answer also such a batch where the answers are many', async () => {
    const stage = new Stage(Infinity, { 'content-length': '1000000' });
    const line = `${'x'.repeat(19)}\n`;
    for (let sent = 0; sent < HUB_LIMITS.batch.answers; sent += 500 * line.length) {
      stage.send(line.repeat(500));
      // oxlint-disable-next-line no-await-in-loop -- chunk by chunk
      await stage.settle();
      stage.answerAll();
      // oxlint-disable-next-line no-await-in-loop -- chunk by chunk
      await stage.settle();
      stage.response.take();
    }
    expect(stage.response.heads).toHaveLength(1);
    expect(stage.response.isEnded).toBe(false);
  });

  it('sends the head alone after a moment, for clients that wait for it', async () => {
    const stage = new Stage();
    while (stage.response.heads.length === 0) await setImmediate();
    expect([stage.response.heads, stage.response.text]).toEqual([[{}], '']);
  });

  it('answers in the order of the lines, whatever is stored first', async () => {
    const stage = new Stage();
    stage.send('a\nb\nc\n');
    await stage.settle();
    stage.answer(2);
    stage.answer(1);
    await stage.settle();
    expect(stage.answers).toEqual([]);
    stage.answer(0);
    await stage.settle();
    expect(stage.answers).toEqual(['a', 'b', 'c']);
    expect(stage.response.isEnded).toBe(false);
  });

  it('answers in the order of the lines also where some are answered at once', async () => {
    const stage = new Stage();
    stage.answersAtOnce = true;
    stage.send('a\n');
    await stage.settle();
    expect([stage.answers, stage.batch.isIdle]).toEqual([['a'], true]);
    stage.answersAtOnce = false;
    stage.send('b\n');
    await stage.settle();
    stage.answersAtOnce = true;
    stage.send('c\n');
    await stage.settle();
    expect([stage.answers, stage.lines]).toEqual([['a'], ['a', 'b', 'c']]);
    stage.answerAll();
    stage.finish();
    await stage.settle();
    expect(stage.answers).toEqual(['a', 'b', 'c']);
    expect(stage.response.isEnded).toBe(true);
  });

  it('reads no further while its client does not take answers that are given at once', async () => {
    const stage = new Stage();
    stage.answersAtOnce = true;
    const line = `${'x'.repeat(19)}\n`;
    // Ten times as many in one piece as may wait for the client.
    const count = (10 * HUB_LIMITS.batch.answers) / line.length;
    stage.send(line.repeat(count));
    for (let before = -1; before < stage.lines.length; await stage.settle()) before = stage.lines.length;
    expect(stage.response.writableLength).toBeGreaterThanOrEqual(HUB_LIMITS.batch.answers);
    expect(stage.response.writableLength).toBeLessThan(1.1 * HUB_LIMITS.batch.answers);
    expect(stage.lines.length).toBeLessThan(count / 5);
    stage.finish();
    for (let rounds = 0; !stage.response.isDestroyed && rounds < 100; rounds += 1) {
      stage.response.take();
      // oxlint-disable-next-line no-await-in-loop -- until it is over
      await stage.settle();
    }
    expect([stage.answers.length, stage.held, stage.ends]).toEqual([count, 0, 1]);
  });

  it('reads no further while too many lines are under way, and on once some are answered', async () => {
    const stage = new Stage();
    stage.send(`${'x\n'.repeat(HUB_LIMITS.batch.lines)}more\n`);
    await stage.settle();
    expect([stage.lines.length, stage.request.isPaused()]).toEqual([HUB_LIMITS.batch.lines, true]);
    stage.answer(0);
    await stage.settle();
    expect(stage.lines.at(-1)).toBe('more');
  });

  it('reads no further while lines under way have too many bytes', async () => {
    const stage = new Stage();
    const long = 'x'.repeat(LINE_LIMIT);
    stage.send(`${long}\n${long}\n`);
    stage.send('more\n');
    await stage.settle();
    expect(stage.lines).toHaveLength(2);
    stage.answer(0);
    await stage.settle();
    expect(stage.lines.at(-1)).toBe('more');
  });

  it('reads no further while its client does not take its answers', async () => {
    const stage = new Stage();
    const line = 'twenty characters___\n';
    for (let sent = 0; sent <= HUB_LIMITS.batch.answers; sent += 500 * line.length) {
      stage.send(line.repeat(500));
      await stage.settle();
      stage.answerAll();
      await stage.settle();
    }
    const { length } = stage.lines;
    expect(stage.batch.fullSince).toBeGreaterThan(0);
    stage.send('more\n');
    await stage.settle();
    expect([stage.lines.length, stage.request.isPaused()]).toEqual([length, true]);
    stage.response.take();
    await stage.settle();
    expect([stage.lines.at(-1), stage.batch.fullSince]).toEqual(['more', 0]);
  });

  it('reads no further while the process has too much to do', async () => {
    const stage = new Stage();
    stage.isPressed = true;
    stage.send('a\n');
    await stage.settle();
    stage.send('b\n');
    await stage.settle();
    expect([stage.lines.length, stage.request.isPaused()]).toEqual([1, true]);
    stage.isPressed = false;
    while (stage.lines.length < 2) await setImmediate();
  });

  it.each<BatchEnd>(['drain', 'expired', 'revoked', 'idle', 'overloaded'])(
    'answers all that it has read before it says `%s`, and throws away what still comes',
    async (reason) => {
      const stage = new Stage();
      stage.send('a\nhalf');
      await stage.settle();
      stage.batch.end(reason);
      stage.batch.end('drain');
      stage.send(' of it\nb\n');
      await stage.settle();
      expect(stage.response.isEnded).toBe(false);
      stage.answerAll();
      await stage.settle();
      expect(stage.answers).toEqual(['a', JSON.stringify({ end: reason })]);
      expect([stage.response.isEnded, stage.lines.length]).toEqual([true, 1]);
      // A client that sends everything before it reads gets to its end.
      stage.finish();
      await stage.settle();
      expect(stage.request.readableEnded).toBe(true);
    },
  );

  it('ends with `overloaded` where there is no room, and gives back at once what it had', async () => {
    const stage = new Stage(10_000);
    stage.send('x'.repeat(9_000));
    await stage.settle();
    expect(stage.held).toBe(9_000);
    stage.send('x'.repeat(2_000));
    await stage.settle();
    expect(stage.answers).toEqual(['{"end":"overloaded"}']);
    expect(stage.held).toBeLessThan(100);
  });

  it('is over at once where it is cut', async () => {
    const stage = new Stage();
    stage.send('a\n');
    await stage.settle();
    stage.batch.cut();
    stage.answerAll();
    await stage.settle();
    expect([stage.response.isDestroyed, stage.response.text, stage.held, stage.ends]).toEqual([true, '', 0, 1]);
  });

  it('holds nothing after any end, answers in order, and reads within its bounds, whatever happens when', async () => {
    type Step = (stage: Stage) => void;
    const step = fc.oneof(
      {
        arbitrary: fc.nat(600).map(
          (count): Step =>
            (stage) =>
              stage.send('line\n'.repeat(count)),
        ),
        weight: 4,
      },
      {
        arbitrary: fc.nat(300_000).map(
          (size): Step =>
            (stage) =>
              stage.send('x'.repeat(size)),
        ),
        weight: 2,
      },
      {
        arbitrary: fc.nat(10).map(
          (index): Step =>
            (stage) =>
              stage.answer(index),
        ),
        weight: 4,
      },
      { arbitrary: fc.constant<Step>((stage) => stage.answerAll()), weight: 2 },
      {
        arbitrary: fc.boolean().map((atOnce): Step => (stage) => {
          stage.answersAtOnce = atOnce;
        }),
        weight: 2,
      },
      { arbitrary: fc.constant<Step>((stage) => stage.response.take()), weight: 2 },
      {
        arbitrary: fc.constantFrom<BatchEnd>('drain', 'idle').map(
          (reason): Step =>
            ({ batch }) =>
              batch.end(reason),
        ),
        weight: 1,
      },
      { arbitrary: fc.constant<Step>((stage) => stage.finish()), weight: 1 },
      { arbitrary: fc.constant<Step>((stage) => stage.response.destroy()), weight: 1 },
    );
    const run = fc.tuple(fc.constantFrom(Infinity, 1_000_000, 20_000), fc.array(step, { maxLength: 25 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(run, async ([room, steps, leaves]) => {
        const stage = new Stage(room);
        for (const take of steps) {
          take(stage);
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await stage.settle();
          checkWhileOpen(stage);
        }
        if (leaves) stage.response.destroy();
        stage.finish();
        for (let rounds = 0; stage.ends === 0 && rounds < 100; rounds += 1) {
          stage.answerAll();
          // oxlint-disable-next-line no-await-in-loop -- until it is over
          await stage.settle();
          stage.response.take();
        }
        expect([stage.ends, stage.held, stage.batch.isIdle || leaves || stage.response.isDestroyed]).toEqual([
          1,
          0,
          true,
        ]);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

function checkWhileOpen({ answers, held, lines, underWay, ends }: Stage): void {
  const told = answers.filter((line) => !line.startsWith('{"end"'));
  expect(told).toEqual(lines.slice(0, told.length).map((text) => text.slice(0, 20)));
  expect(held).toBeGreaterThanOrEqual(0);
  if (ends > 0) expect(held).toBe(0);
  expect(underWay).toBeLessThanOrEqual(HUB_LIMITS.batch.lines);
}
