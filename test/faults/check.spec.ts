import { describe, expect, it } from '@jest/globals';
import { checkHistory, type Loss } from './support/check.js';
import { type Answer, History, type Seen, type Told } from './support/history.js';

const LOG = ['a-0', 'b-0', 'a-1', 'b-1'];
const LOST: Loss = { after: 2, ids: ['c-0', 'c-1'] };
const GAP: Told = { notice: 'gap', reason: 'not-held' };
const RESET: Seen = { notice: 'reset' };

/** A history with one reader; everything in the log was acknowledged. */
function historyOf(seen: readonly (string | Seen)[], answers: Readonly<Record<string, Answer>> = {}): History {
  const history = new History();
  for (const id of LOG) history.answered(id, 'acknowledged');
  for (const [id, answer] of Object.entries(answers)) history.answered(id, answer);
  for (const one of seen) history.saw('r', typeof one === 'string' ? { id: one } : one);
  return history;
}

describe('the check of what fault scenarios have recorded', () => {
  it.each<[string, (string | Seen)[]]>([
    ['saw everything in order', LOG],
    ['was told of a gap and went on later', ['a-0', GAP, 'b-1']],
    ['came back after a gap without having missed anything', ['a-0', GAP, 'b-0', 'a-1', 'b-1']],
    ['began where it chose to', [{ from: 1, to: 2 }, 'a-1', 'b-1']],
    ['began anew, before what it had seen', ['a-0', 'b-0', 'a-1', { from: 0, to: 0 }, ...LOG]],
    ['began anew, after what it had seen', ['a-0', { from: 3, to: 3 }, 'b-1']],
    ['went on after a gap where it had to', ['a-0', { ...GAP, to: 2 }, 'a-1', 'b-1']],
  ])('has no objection where a reader %s', (_, seen) => {
    expect(checkHistory(historyOf(seen), { log: LOG })).toEqual([]);
  });

  it.each<[string, (string | Seen)[], RegExp]>([
    ['missed one', ['a-0', 'a-1', 'b-1'], /1 missing before a-1/],
    ['missed the first', ['b-0', 'a-1', 'b-1'], /1 missing before b-0/],
    ['missed the last', ['a-0', 'b-0', 'a-1'], /last 1 did not come/],
    ['saw one twice', ['a-0', 'b-0', 'b-0', 'a-1', 'b-1'], /b-0 came again/],
    ['saw another order', ['b-0', 'a-0', 'a-1', 'b-1'], /a-0 came again, or too late/],
    ['began later than it chose to', [{ from: 0, to: 1 }, 'a-1', 'b-1'], /1 missing before a-1/],
    ['began earlier than it chose to', [{ from: 1, to: 2 }, ...LOG], /a-0 came again, or too late/],
    ['missed one before it began anew', ['a-0', 'a-1', { from: 3, to: 3 }, 'b-1'], /1 missing before a-1/],
    ['went on too late after a gap', ['a-0', { ...GAP, to: 2 }, 'b-1'], /1 missing before b-1/],
    ['saw what is not there', ['a-0', 'x-0', 'b-0', 'a-1', 'b-1'], /x-0 is not in the log/],
    ['was sent back after a gap', ['a-0', 'b-0', GAP, 'a-0', 'b-0', 'a-1', 'b-1'], /a-0 came again/],
    ['was told of a reset', ['a-0', 'b-0', RESET, 'a-1', 'b-1'], /nothing of what was lost/],
  ])('objects where a reader %s', (_, seen, objection) => {
    expect(checkHistory(historyOf(seen), { log: LOG }).join('\n')).toMatch(objection);
  });

  it.each<[string, (string | Seen)[]]>([
    ['had got what was lost, and was told', ['a-0', 'b-0', 'c-0', RESET, 'a-1', 'b-1']],
    ['had got nothing of it, and was not told', LOG],
    ['came back with the id of something lost', ['a-0', 'b-0', 'c-0', 'c-1', GAP, 'a-0', 'b-0', 'a-1', 'b-1']],
    ['began anew after it had got it', ['a-0', 'b-0', 'c-0', { from: 2, to: 2 }, 'a-1', 'b-1']],
    ['came back with its id, when more was trimmed', ['a-0', 'b-0', 'c-0', { ...GAP, to: 1 }, 'b-0', 'a-1', 'b-1']],
    [
      'had got nothing, and came back with a cursor',
      [{ from: 3, to: 3 }, { ...GAP, to: 4 }, 'a-0', 'b-0', 'a-1', 'b-1'],
    ],
    ['was told, and came back with that id', ['a-0', 'b-0', 'c-0', RESET, GAP, 'a-0', 'b-0', 'a-1', 'b-1']],
  ])('has no objection where something was lost and a reader %s', (_, seen) => {
    expect(checkHistory(historyOf(seen, { 'c-0': 'acknowledged' }), { log: LOG, lost: LOST })).toEqual([]);
  });

  it.each<[string, (string | Seen)[], RegExp]>([
    ['was not told', ['a-0', 'b-0', 'c-0', 'a-1', 'b-1'], /c-0 is not in the log/],
    ['was told without a reason', ['a-0', 'b-0', RESET, 'a-1', 'b-1'], /nothing of what was lost/],
    ['lacks what took its place', ['a-0', 'b-0', 'c-0', RESET, 'b-1'], /1 missing before b-1/],
    ['got it in another order', ['a-0', 'b-0', 'c-1', 'c-0', RESET, 'a-1', 'b-1'], /1 missing before c-1/],
    ['got again what had stayed', ['a-0', 'b-0', 'c-0', RESET, 'b-0', 'a-1', 'b-1'], /b-0 came again/],
  ])('objects where something was lost and a reader %s', (_, seen, objection) => {
    expect(checkHistory(historyOf(seen), { log: LOG, lost: LOST }).join('\n')).toMatch(objection);
  });

  it.each<[string, Record<string, Answer>, readonly string[], RegExp]>([
    ['was acknowledged and is not held', { 'x-0': 'acknowledged' }, LOG, /acknowledged and lost: x-0/],
    ['was refused and is held', { 'b-1': 'refused' }, LOG, /refused and stored: b-1/],
    ['is held twice', {}, [...LOG, 'a-0'], /stored twice: a-0/],
    ['is not in its publisher’s order', {}, ['a-1', 'b-0', 'a-0', 'b-1'], /out of order: a-0/],
  ])('objects where an update %s', (_, answers, log, objection) => {
    expect(checkHistory(historyOf(log, answers), { log }).join('\n')).toMatch(objection);
  });

  it('does not mind what became of an update that no answer came for', () => {
    expect(checkHistory(historyOf(LOG, { 'x-0': 'unknown', 'b-1': 'unknown' }), { log: LOG })).toEqual([]);
  });
});
