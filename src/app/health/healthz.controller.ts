import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';

/** What other hubs call `/health/live`. */
@Controller('healthz')
export class HealthzController {
  constructor(private readonly health: HealthCheckService) {}

  @Get()
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }
}
