import { Controller, Get, Headers, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { expose, formatFor } from './exposition.js';
import { HubMetrics } from './hub-metrics.js';
import { OperatorGuard } from './operator.guard.js';
import { ProcessMetrics } from './process-metrics.js';

/** For Prometheus, and whatever reads its formats. */
@Controller('metrics')
@UseGuards(OperatorGuard)
export class MetricsController {
  constructor(
    private readonly hub: HubMetrics,
    private readonly process: ProcessMetrics,
  ) {}

  @Get()
  async scrape(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const format = formatFor(accept);
    void reply.header('content-type', format);
    return expose([...this.hub.families(), ...(await this.process.families())], format);
  }
}
