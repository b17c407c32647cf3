import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { Readiness } from './readiness.js';

/** For orchestrators: is the process alive, and should it be sent traffic? */
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly readiness: Readiness,
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
    return this.health.check([() => this.readiness.check(), () => this.readiness.checkJournal()]);
  }
}
