import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, prlimit } from '../support/programs.js';
import { checkHistory } from './support/check.js';
import { Fleet } from './support/fleet.js';
import { KEEPS_ALL } from './support/keeps-all.js';
import { LimitedFiles, type Room, SmallDisk } from '../support/room.js';
import { chance, harass, say, TIMEOUT } from './support/run-options.js';
import { Workload } from './support/workload.js';

/** Refusals in between: enough to tell a full disk from a passing failure. */
const REFUSALS = 20;

/** How publishing is refused. */
const FULL = '507 journal-full';

interface Kind {
  readonly name: string;
  readonly make: () => Room;
}

const disk: Kind = { name: 'is full', make: () => new SmallDisk() };
const limit: Kind = { name: 'lets files grow no further', make: () => new LimitedFiles() };

describeWith(prlimit, 'a disk under an LMDB journal', () => {
  it.each(SmallDisk.mayBeMade ? [disk, limit] : [limit])(
    'that $name costs nothing that was acknowledged, and once there is room it goes on',
    async ({ name, make }) => {
      const random = chance(`the disk ${name}`);
      using room = make();
      const journal = `lmdb:${join(room.path, 'journal')}`;
      await using fleet = await Fleet.start([
        { HERALD_JOURNAL: journal, ...KEEPS_ALL, ...random.pick([{}, TLS_ENVIRONMENT]) },
      ]);
      const addToRoom = (): void => fleet.heralds.forEach((herald) => room.add(herald));
      addToRoom();
      await using workload = new Workload({ random, urls: fleet.urls });
      const { history } = workload;
      const refused = (): number => history.refusals.get(FULL) ?? 0;
      workload.addReaders(3, { drops: 0.002 });
      await workload.addPublishers(8, { maxData: 8_000, givesUp: 0.5 });
      const fills = await harass(2, async () => {
        const before = refused();
        await history.until('the disk is full', () => refused() > before + REFUSALS);
        if (random.chance(0.5)) {
          await fleet.kill(0, random.pick(['SIGKILL', 'SIGTERM']));
          await fleet.revive(0);
          addToRoom();
        }
        room.grow();
        await workload.acknowledges(100);
      });
      room.grow();
      const log = await workload.finish();
      say(
        `the disk ${name}`,
        `${fills} times, ${history.acknowledged} acknowledged, ${JSON.stringify([...history.refusals])}`,
      );
      expect(checkHistory(history, { log })).toEqual([]);
      expect([...history.refusals.keys()]).toEqual([FULL]);
    },
    TIMEOUT,
  );
});
