import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { HubService } from '../../hub/service/hub.service.js';

/** Whether this process should be sent traffic. It should not while it can't publish, nor when it has begun to stop. */
@Injectable()
export class Readiness implements OnModuleDestroy {
  private stopping = false;

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly hub: HubService,
  ) {}

  check(): HealthIndicatorResult {
    const indicator = this.indicators.check('process');
    return this.stopping ? indicator.down('stopping') : indicator.up();
  }

  checkJournal(): HealthIndicatorResult {
    const indicator = this.indicators.check('journal');
    const { obstacle } = this.hub;
    return obstacle === undefined ? indicator.up() : indicator.down(obstacle);
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }
}
