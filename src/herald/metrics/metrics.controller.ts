import { Controller, Get, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { type FrameworkReply, hubReplyOf, whenSent } from '../../shared/exchange/exchange.js';
import { HubPartsFilter } from '../module/hub-parts.filter.js';
import { HubAdminGuard } from '../module/hub-parts.js';
import { HubMetrics } from './hub-metrics.js';

export const METRICS_PATH = 'metrics';

/** For Prometheus, and whatever reads its formats. */
@Controller({ path: METRICS_PATH, version: VERSION_NEUTRAL })
@UseFilters(HubPartsFilter)
@UseGuards(HubAdminGuard)
export class MetricsController {
  constructor(private readonly metrics: HubMetrics) {}

  /** It is sent here, so that an application's interceptors can't make something else of it. */
  @Get()
  async scrape(@Res() given: FrameworkReply): Promise<void> {
    const reply = hubReplyOf(given);
    const { accept } = reply.request.headers;
    const text = await this.metrics.text(accept);
    reply.header('content-type', this.metrics.contentType(accept)).send(text);
    await whenSent(reply);
  }
}
