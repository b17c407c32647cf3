import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { HubNotice, HubUpdate } from '../../src/hub/in-process/hub-updates.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import { InProcessHub, until } from '../support/in-process-hub.js';

/** Bytes that a reader may make the hub hold: a piece under way, one behind it, and what is read together. */
const HELD = 256 * 1024;

function idsFrom(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `urn:${first + index}`);
}

describeEngines((name, open) => {
  describe(`updates within the process, with a journal in ${name}`, () => {
    let place: JournalPlace;
    let topic: string;
    let topics = 0;

    beforeAll(async () => {
      place = await open();
    });
    afterAll(() => place.close());
    beforeEach(() => {
      topics += 1;
      topic = `urn:topic:${topics}`;
    });

    /** Little is recent, so that whoever is behind reads from the journal. */
    function openHub(events = 100_000): Promise<InProcessHub> {
      return InProcessHub.open({ url: place.url, retention: { events }, recentBytes: 64 * 1024 });
    }

    async function publish({ hub }: InProcessHub, first: number, last: number, data = ''): Promise<void> {
      const drafts = idsFrom(first, last).map((id) => ({ topic, id: `${id}:${topic}`, data }));
      for (const { error } of await hub.publishBatch(drafts)) if (error) throw error;
    }

    const short = (id: string): string => id.replace(`:${topic}`, '');

    it('gives each once, in order, over the seam between what is held and what comes', async () => {
      await using opened = await openHub();
      await publish(opened, 1, 300, 'x'.repeat(1_000));
      const seen: string[] = [];
      const subscription = opened.hub
        .updates(topic, { since: `urn:1:${topic}` })
        .subscribe(({ id }) => seen.push(short(id)));
      await publish(opened, 301, 600, 'x'.repeat(1_000));
      await until(() => seen.length >= 599);
      await publish(opened, 601, 610);
      await until(() => seen.length >= 609);
      expect(seen).toEqual(idsFrom(2, 610));
      subscription.unsubscribe();
    });

    it('goes on after the last id that was seen, as often as it is asked to', async () => {
      await using opened = await openHub();
      await publish(opened, 1, 500, 'x'.repeat(500));
      const seen: string[] = [];
      let updates = opened.hub.updates(topic, { since: 'earliest' });
      while (seen.length < 500) {
        let last: HubUpdate | undefined;
        for await (const update of updates) {
          seen.push(short(update.id));
          last = update;
          if (seen.length % 77 === 0 || seen.length === 500) break;
        }
        updates = updates.after(last?.id);
      }
      expect(seen).toEqual(idsFrom(1, 500));
    });

    it('holds little for a reader that is slow, and loses nothing for it', async () => {
      await using opened = await openHub();
      const { hub, streams } = opened;
      const seen: string[] = [];
      let most = 0;
      let goOn: () => void = () => undefined;
      const isAllowed = new Promise<void>((resolve) => (goOn = resolve));
      const reading = (async () => {
        for await (const { id } of hub.updates(topic)) {
          seen.push(short(id));
          await isAllowed;
          if (seen.length % 100 === 0) await delay(1);
          most = Math.max(most, streams.outstanding.total);
          if (seen.length === 2_000) return;
        }
      })();
      // Eight megabytes, of which the reader takes the first update and then none.
      for (let first = 1; first <= 2_000; first += 200) {
        await publish(opened, first, first + 199, 'x'.repeat(4_000));
        await delay(5);
        most = Math.max(most, streams.outstanding.total);
      }
      expect(seen.length).toBeLessThanOrEqual(1);
      goOn();
      await reading;
      expect(seen).toEqual(idsFrom(1, 2_000));
      expect(most).toBeLessThan(HELD);
      expect(most).toBeGreaterThan(0);
    });

    it('tells of what was trimmed before it was read, and goes on with what is held', async () => {
      await using opened = await openHub(50);
      const { hub } = opened;
      const notices: HubNotice[] = [];
      const seen: string[] = [];
      let goOn: () => void = () => undefined;
      const isAllowed = new Promise<void>((resolve) => (goOn = resolve));
      await publish(opened, 1, 10);
      const reading = (async () => {
        const onNotice = (notice: HubNotice): void => void notices.push(notice);
        for await (const { id } of hub.updates(topic, { since: `urn:1:${topic}`, onNotice })) {
          seen.push(short(id));
          await isAllowed;
          if (short(id) === 'urn:1500') return;
        }
      })();
      await until(() => seen.length === 1);
      for (let first = 11; first <= 1_500; first += 149) {
        await publish(opened, first, Math.min(1_500, first + 148), 'x'.repeat(4_000));
      }
      goOn();
      await reading;
      expect(notices.map(({ type, reason }) => reason ?? type)).toContain('trimmed');
      const missed = notices.reduce((sum, { updates = 0 }) => sum + updates, 0);
      expect(missed).toBeGreaterThan(1_000);
      expect(seen.length + missed).toBe(1_499);
      expect(seen.slice(-40)).toEqual(idsFrom(1_461, 1_500));
      expect(new Set(seen).size).toBe(seen.length);

      const late: HubNotice[] = [];
      const held: string[] = [];
      const options = { since: `urn:1:${topic}`, onNotice: (notice: HubNotice) => void late.push(notice) };
      const subscription = hub.updates(topic, options).subscribe(({ id }) => held.push(short(id)));
      await until(() => late.some(({ type }) => type === 'caught-up'));
      expect(late.map(({ type, reason }) => reason ?? type)).toEqual(['not-held', 'caught-up']);
      expect(held.at(-1)).toBe('urn:1500');
      expect(held.length).toBeGreaterThanOrEqual(40);
      subscription.unsubscribe();
    });
  });
});
