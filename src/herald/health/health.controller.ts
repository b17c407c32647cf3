import { Controller, Get, VERSION_NEUTRAL } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { HeraldHealthIndicator } from '../terminus/herald-health.indicator.js';

export const HEALTH_PATH = 'health';

/** Otherwise Terminus loads `@nestjs/swagger` wherever it is installed, which is a third of the CPU of a start. */
export const UNDOCUMENTED = { noCache: true, swaggerDocumentation: false };

/** For orchestrators: is the process alive, and should it be sent traffic? */
@Controller({ path: HEALTH_PATH, version: VERSION_NEUTRAL })
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly herald: HeraldHealthIndicator,
  ) {}

  /** Succeeds whenever the process can answer at all. Restart the process when this check fails. */
  @Get('live')
  @HealthCheck(UNDOCUMENTED)
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /** 503 while the process can't serve: don't send it traffic, but don't restart it either. */
  @Get('ready')
  @HealthCheck(UNDOCUMENTED)
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.herald.isServing('process'), () => this.herald.canPublish('journal')]);
  }
}
