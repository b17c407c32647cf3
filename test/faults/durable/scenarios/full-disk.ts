import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkHistory } from '../support/check-history.js';
import { Rig } from '../support/rig.js';
import { rounds, type Scenario } from '../support/scenario.js';

const PUBLISHERS = 8;
const READERS = 3;

/** What the disk has at first, and how much room is made each time that it is full. Mebibytes. */
const ROOM = 4;

/** Scenario 7: the disk of an LMDB journal becomes full, and somebody makes room. */
export const fullDisk: Scenario = {
  name: 'full-disk',
  title: 'a full disk under an LMDB journal',
  missing: () => {
    try {
      const disk = new SmallDisk();
      disk.remove();
      return undefined;
    } catch {
      return 'a tmpfs of its own can only be mounted by root';
    }
  },
  async run({ random, duration, say }) {
    using disk = new SmallDisk();
    await using rig = await Rig.start(random, {
      HERALD_JOURNAL: `lmdb:${join(disk.path, 'journal')}`,
      HERALD_RETAIN_EVENTS: '1000000',
      HERALD_RETAIN_BYTES: '10gb',
    });
    const { history } = rig;
    for (let reader = 0; reader < READERS; reader += 1) rig.addReader({ drops: 0.002 });
    await rig.addPublishers(PUBLISHERS, { maxData: 8_000 });
    const goesOn = rounds(2, duration);
    let fills = 0;
    for (; goesOn(fills); fills += 1) {
      const refusals = history.refusals.get('507 journal-full') ?? 0;
      await history.until('the disk is full', () => (history.refusals.get('507 journal-full') ?? 0) > refusals + 20);
      if (random.chance(0.5)) {
        await rig.stopHub(random.chance(0.5) ? 'SIGKILL' : 'SIGTERM');
        await rig.startHub();
      }
      disk.grow();
      await rig.acknowledges(100);
    }
    await rig.stopPublishers();
    const log = await rig.readLog();
    await rig.readersReach(log.at(-1));
    say(`${fills} times full, ${history.acknowledged} acknowledged, refused: ${JSON.stringify([...history.refusals])}`);
    const wrong = checkHistory(history, { log });
    for (const reason of history.refusals.keys()) {
      if (reason !== '507 journal-full') wrong.push(`publishing was refused with ${reason}`);
    }
    return { wrong, counts: { fills, acknowledged: history.acknowledged, stored: log.length } };
  },
};

/** A disk in memory that is soon full. */
class SmallDisk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'herald-disk-'));
  private size = ROOM;

  constructor() {
    try {
      mount('-t', 'tmpfs', '-o', `size=${this.size}m`, 'herald', this.path);
    } catch (error) {
      rmdirSync(this.path);
      throw error;
    }
  }

  grow(): void {
    this.size += ROOM;
    mount('-o', `remount,size=${this.size}m`, this.path);
  }

  remove(): void {
    execFileSync('umount', [this.path], { stdio: 'pipe' });
    rmdirSync(this.path);
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

function mount(...args: string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}
