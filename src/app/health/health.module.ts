import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HeraldHealthIndicator } from '../../herald/terminus/herald-health.indicator.js';
import { HealthController } from './health.controller.js';

@Module({
  // The readiness check's failures are answers, not incidents: they belong in the response, not in the log.
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
  providers: [HeraldHealthIndicator],
})
export class HealthModule {}
