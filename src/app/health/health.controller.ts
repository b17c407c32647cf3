import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { HeraldHealthIndicator } from '../../herald/terminus/herald-health.indicator.js';

/** For orchestrators: is the process alive, and should it be sent traffic? */
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly herald: HeraldHealthIndicator,
  ) {}

  /**
   * Succeeds whenever the process can answer at all. Restart the process when this check fails. `/healthz` is its name
   * at other hubs.
   */
  @Get(['health/live', 'healthz'])
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** 503 while the process can't serve: don't send it traffic, but don't restart it either. */
  @Get('health/ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.herald.isServing('process'), () => this.herald.canPublish('journal')]);
  }
}
