import { Logger } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../../test/support/captured-log.js';
import type { HubService } from '../../hub/service/hub.service.js';
import { Drain } from '../../streams/drain/drain.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { HeraldHealthIndicator } from './herald-health.indicator.js';

describe('the health of a hub', () => {
  let hub: { obstacle: HubService['obstacle'] };
  let drain: Drain;
  let indicator: HeraldHealthIndicator;

  beforeEach(() => {
    Logger.overrideLogger(new CapturedLog());
    hub = { obstacle: undefined };
    const streams = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 });
    drain = new Drain(streams, { delay: 0, window: 0, isAlone: true });
    indicator = new HeraldHealthIndicator(new HealthIndicatorService(), { hub: hub as HubService, drain });
  });

  /** What each of the three checks says. */
  function told(): (string | undefined)[] {
    const checks = [indicator.isHealthy('hub'), indicator.isServing('hub'), indicator.canPublish('hub')];
    return checks.map(({ hub: { status, message } }) => (status === 'up' ? status : (message as string)));
  }

  it('is up while it serves', () => {
    expect(told()).toEqual(['up', 'up', 'up']);
  });

  it.each(['away', 'full', 'refusing'] as const)('is down while its journal is %s', (obstacle) => {
    hub.obstacle = obstacle;
    expect(told()).toEqual([obstacle, 'up', obstacle]);
    hub.obstacle = undefined;
    expect(told()).toEqual(['up', 'up', 'up']);
  });

  it('is down while the process is drained, and up when it is taken back', async () => {
    await drain.begin();
    expect(told()).toEqual(['draining', 'draining', 'up']);
    drain.resume();
    expect(told()).toEqual(['up', 'up', 'up']);
  });

  it('is down for good once the process ends', async () => {
    await drain.leave();
    expect(told()).toEqual(['stopping', 'stopping', 'up']);
  });
});
