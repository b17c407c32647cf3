import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { HubService } from '../../hub/service/hub.service.js';
import { Drain } from '../../streams/drain/drain.js';

/** Whether this process should be sent traffic. It should not while it can't publish, nor once it is to be left alone. */
@Injectable()
export class Readiness {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly hub: HubService,
    private readonly drain: Drain,
  ) {}

  check(): HealthIndicatorResult {
    const indicator = this.indicators.check('process');
    return this.drain.state === 'serving'
      ? indicator.up()
      : indicator.down(this.drain.isFinal ? 'stopping' : 'draining');
  }

  checkJournal(): HealthIndicatorResult {
    const indicator = this.indicators.check('journal');
    const { obstacle } = this.hub;
    return obstacle === undefined ? indicator.up() : indicator.down(obstacle);
  }
}
