import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

/** Whether this process should be sent traffic. It should not from the moment it begins to stop. */
@Injectable()
export class Readiness implements OnModuleDestroy {
  private stopping = false;

  constructor(private readonly indicators: HealthIndicatorService) {}

  check(): HealthIndicatorResult {
    const indicator = this.indicators.check('process');
    return this.stopping ? indicator.down('stopping') : indicator.up();
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }
}
