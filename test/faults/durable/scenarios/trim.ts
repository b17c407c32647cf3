import { checkHistory } from '../support/check-history.js';
import { Rig } from '../support/rig.js';
import { rounds, type Scenario } from '../support/scenario.js';

const RETAINED = 1_000;
const PUBLISHERS = 8;

/** How far the publishers may be ahead of the reader that tells the order, which must see everything. */
const LEAD = RETAINED / 4;

/** Enough that a stalled reader's socket is full long before its place in the log is trimmed. Characters. */
const DATA = 16_000;

/** Scenario 6: retention trims the log while readers are far behind. */
export const trim: Scenario = {
  name: 'trim',
  title: 'retention trimming while readers are far behind',
  missing: () => undefined,
  async run({ random, duration, say }) {
    await using rig = await Rig.start(random, {
      HERALD_RETAIN_EVENTS: String(RETAINED),
      HERALD_RECENT_BYTES: '256kb',
      HERALD_WRITE_TIMEOUT: '10m',
    });
    const { history } = rig;
    const witnessed = (): number => history.readers.get('r0')?.length ?? 0;
    rig.addReader();
    const stallers = [rig.addReader(), rig.addReader(), rig.addReader({ drops: 0.01 })];
    const mayGoOn = (): Promise<void> =>
      history.until('the witness has followed', () => history.acknowledged - witnessed() < LEAD);
    await rig.addPublishers(PUBLISHERS, { maxData: DATA, mayGoOn });
    const goesOn = rounds(2, duration);
    let stalls = 0;
    for (; goesOn(stalls); stalls += 1) {
      for (const reader of stallers) reader.stall();
      // So much that what their sockets hold is followed by a gap.
      await rig.acknowledges(RETAINED * random.between(2, 4));
      // One has no connection any more: its last id is no longer held when it comes back.
      if (random.chance(0.5)) stallers[0]?.drop();
      for (const reader of stallers) reader.read();
      await rig.acknowledges(RETAINED / 2);
    }
    await rig.stopPublishers();
    const held = await rig.readLog();
    await rig.readersReach(held.at(-1));
    const log = history.idsOf('r0');
    const gaps = [...history.readers.values()].flat().filter((seen) => 'gap' in seen).length;
    say(`${stalls} stalls, ${history.acknowledged} acknowledged, ${held.length} held, ${gaps} gaps told`);
    const wrong = checkHistory(history, { log });
    if (gaps === 0) wrong.push('no reader fell so far behind that it was told of a gap: nothing was tried');
    if (held.length !== RETAINED) wrong.push(`${held.length} updates are held, not ${RETAINED}`);
    if (held.join() !== log.slice(-held.length).join()) wrong.push('what is held is not the end of what was read');
    return { wrong, counts: { stalls, acknowledged: history.acknowledged, held: held.length, gaps } };
  },
};
