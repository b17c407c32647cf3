import {
  Controller,
  Delete,
  HttpCode,
  Inject,
  Post,
  Query,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { z } from 'zod';
import { HUB_PARTS, HubAdminGuard, type HubParts } from '../module/hub-parts.js';
import { HubPartsFilter } from '../module/hub-parts.filter.js';
import { parse } from './parse.js';

export const rebalanceSchema = z.strictObject({ share: z.coerce.number().gt(0).max(1) });

/** Routes for administrators, by which this process lets go of its streams while it goes on. */
@Controller({ path: 'admin', version: VERSION_NEUTRAL })
@UseFilters(HubPartsFilter)
@UseGuards(HubAdminGuard)
export class DrainController {
  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {}

  /** Has this process left alone, as before its end. It goes on answering everything but streams and batches. */
  @Post('drain')
  @HttpCode(200)
  drain(): object {
    void this.parts.drain.begin();
    return this.state();
  }

  /** Has this process serve again. */
  @Delete('drain')
  resume(): object {
    this.parts.drain.resume();
    return this.state();
  }

  /** Lets go of a share of the streams of this process, so that others take their readers. */
  @Post('rebalance')
  @HttpCode(200)
  rebalance(@Query() query: unknown): object {
    const { share } = parse(rebalanceSchema, query, 'share, which is above 0 and at most 1');
    return { lettingGo: this.parts.drain.rebalance(share) };
  }

  private state(): object {
    const { drain, streams } = this.parts;
    return { state: drain.state, connections: streams.size };
  }
}
