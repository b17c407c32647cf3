import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthzController } from './healthz.controller.js';

/** `GET /healthz`, beside the checks that `HeraldHealthModule` has. */
@Module({ imports: [TerminusModule.forRoot({ logger: false })], controllers: [HealthzController] })
export class HealthzModule {}
