import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { UNDOCUMENTED } from '../../herald/health/health.controller.js';

/** What other hubs call `/health/live`. */
@Controller('healthz')
export class HealthzController {
  constructor(private readonly health: HealthCheckService) {}

  @Get()
  @HealthCheck(UNDOCUMENTED)
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }
}
