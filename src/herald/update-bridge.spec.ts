import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../test/support/captured-log.js';
import type { HubService } from '../hub/service/hub.service.js';
import type { UpdateDraft } from '../hub/update/check-update.js';
import { UpdateBridge } from './update-bridge.js';

/** A hub whose journal takes what it gets once the test says so. */
class SlowHub {
  readonly drafts: UpdateDraft[] = [];
  private readonly waiting: (() => void)[] = [];

  publish(draft: UpdateDraft): Promise<string> {
    this.drafts.push(draft);
    return new Promise((resolve) => this.waiting.push(() => resolve('urn:1')));
  }

  store(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

const draftOf = (topic: string) => (): UpdateDraft => ({ topics: [topic] });

describe('a bridge', () => {
  let log: CapturedLog;
  let hub: SlowHub;
  let bridge: UpdateBridge;

  beforeEach(() => {
    log = new CapturedLog();
    Logger.overrideLogger(log);
    hub = new SlowHub();
    bridge = new UpdateBridge(hub as unknown as HubService);
  });

  it('makes an update of an event before anybody can change it', () => {
    const order = { id: 1 };
    void bridge.publish('order', () => ({ topics: ['/orders'], data: JSON.stringify(order) }));
    order.id = 2;
    expect(hub.drafts).toEqual([{ topics: ['/orders'], data: '{"id":1}' }]);
  });

  it('is settled once what is under way is stored', async () => {
    void bridge.publish('order', draftOf('/1'));
    let isSettled = false;
    const settled = bridge.settled().then(() => (isSettled = true));
    await new Promise(setImmediate);
    expect(isSettled).toBe(false);
    hub.store();
    await settled;
  });

  it('logs what fails, one line for each event, and goes on', async () => {
    const fail = (): never => {
      throw new Error('no topic');
    };
    await bridge.publish('order', fail);
    await bridge.publish('order', fail);
    await bridge.publish('invoice', fail);
    expect(log.errors).toMatchObject([{ event: 'order', err: new Error('no topic') }, { event: 'invoice' }]);
    void bridge.publish('order', draftOf('/1'));
    expect(hub.drafts).toHaveLength(1);
  });

  it('publishes nothing where there is nothing to publish', async () => {
    await bridge.publish('order', () => undefined);
    expect([hub.drafts, log.errors]).toEqual([[], []]);
  });

  it('holds a bounded number of updates that wait for the journal', async () => {
    for (let index = 0; index < 10_000; index += 1) void bridge.publish('order', draftOf('/1'));
    await bridge.publish('order', draftOf('/2'));
    expect(hub.drafts).toHaveLength(10_000);
    expect(log.errors).toMatchObject([{ event: 'order' }]);
    hub.store();
    await bridge.settled();
    void bridge.publish('order', draftOf('/3'));
    expect(hub.drafts.at(-1)?.topics).toEqual(['/3']);
  });
});
