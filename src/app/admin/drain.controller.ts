import { Controller, Delete, HttpCode, Post, Query, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { AdminGuard } from '../../auth/tokens/admin.guard.js';
import { Drain } from '../../streams/drain/drain.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { parse } from './parse.js';

export const rebalanceSchema = z.strictObject({ share: z.coerce.number().gt(0).max(1) });

/** Routes for administrators, by which this process lets go of its streams while it goes on. */
@Controller('admin')
@UseGuards(AdminGuard)
export class DrainController {
  constructor(
    private readonly drains: Drain,
    private readonly streams: StreamRegistry,
  ) {}

  /** Has this process left alone, as before its end. It goes on answering everything but streams and batches. */
  @Post('drain')
  @HttpCode(200)
  drain(): object {
    void this.drains.begin();
    return this.state();
  }

  /** Has this process serve again. */
  @Delete('drain')
  resume(): object {
    this.drains.resume();
    return this.state();
  }

  /** Lets go of a share of the streams of this process, so that others take their readers. */
  @Post('rebalance')
  @HttpCode(200)
  rebalance(@Query() query: unknown): object {
    const { share } = parse(rebalanceSchema, query, 'share, which is above 0 and at most 1');
    return { lettingGo: this.drains.rebalance(share) };
  }

  private state(): object {
    return { state: this.drains.state, connections: this.streams.size };
  }
}
