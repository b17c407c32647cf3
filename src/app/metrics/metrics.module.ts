import { Module } from '@nestjs/common';
import { HubMetrics } from './hub-metrics.js';
import { MetricsController } from './metrics.controller.js';
import { ProcessMetrics } from './process-metrics.js';

/** `GET /metrics`. */
@Module({ controllers: [MetricsController], providers: [HubMetrics, ProcessMetrics] })
export class MetricsModule {}
