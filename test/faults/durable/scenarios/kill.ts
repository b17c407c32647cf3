import { checkHistory } from '../support/check-history.js';
import { Rig } from '../support/rig.js';
import { rounds, type Scenario } from '../support/scenario.js';

const PUBLISHERS = 12;
const READERS = 4;

/** Scenario 1: `kill -9` of a single LMDB process under publish load, restarted, many times. */
export const kill: Scenario = {
  name: 'kill',
  title: 'kill -9 of a single LMDB process under publish load',
  missing: () => undefined,
  async run({ random, duration, say }) {
    await using rig = await Rig.start(random, { HERALD_RETAIN_EVENTS: '100000000', HERALD_RETAIN_BYTES: '100gb' });
    for (let reader = 0; reader < READERS; reader += 1) rig.addReader({ drops: 0.002 });
    await rig.addPublishers(PUBLISHERS, { givesUp: 0.2 });
    const goesOn = rounds(6, duration);
    let kills = 0;
    for (; goesOn(kills); kills += 1) {
      await rig.acknowledges(random.between(1, 400));
      await rig.stopHub('SIGKILL');
      await rig.startHub();
    }
    say(`${kills} kills, ${rig.history.acknowledged} acknowledged, ${rig.history.lost} answers lost`);
    await rig.acknowledges(50);
    await rig.stopPublishers();
    const log = await rig.readLog();
    await rig.readersReach(log.at(-1));
    return {
      wrong: checkHistory(rig.history, { log }),
      counts: { kills, acknowledged: rig.history.acknowledged, stored: log.length, 'lost answers': rig.history.lost },
    };
  },
};
