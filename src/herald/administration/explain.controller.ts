import { Controller, Get, Inject, Query, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { z } from 'zod';
import { HubError } from '../../access/hub.errors.js';
import { HUB_LIMITS } from '../../hub/limits/hub.limits.js';
import type { Explanation } from '../../hub/service/explain.service.js';
import { type FrameworkReply, hubReplyOf } from '../../shared/exchange/exchange.js';
import { HUB_PARTS, HubAdminGuard, type HubParts } from '../module/hub-parts.js';
import { HubPartsFilter } from '../module/hub-parts.filter.js';
import { parse } from './parse.js';

const name = z.string().min(1).max(1_000);

export const explainSchema = z.strictObject({
  topic: z.string().min(1).max(HUB_LIMITS.topicBytes).optional(),
  id: z.string().min(1).max(HUB_LIMITS.idLength).optional(),
  connection: z.coerce.number().int().min(1).optional(),
  subject: name.optional(),
  issuer: name.optional(),
});

/** A route for administrators: why a connection of this process has got an update, or has not. */
@Controller({ path: 'admin', version: VERSION_NEUTRAL })
@UseFilters(HubPartsFilter)
@UseGuards(HubAdminGuard)
export class ExplainController {
  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {}

  /** One explanation for each update and connection, and one sentence for all. */
  @Get('explain')
  async explain(@Query() query: unknown, @Res({ passthrough: true }) given: FrameworkReply): Promise<object> {
    const { hub } = this.parts;
    const reply = hubReplyOf(given);
    // Behind a load balancer, this tells whether the process was asked that has the connection.
    reply.header('herald-process', hub.processId);
    const request = parse(explainSchema, query, 'topic, id, connection, subject and issuer');
    if (request.topic === undefined && request.id === undefined) {
      throw new HubError('criteria-missing', 'Say which update is meant: by "id", or by "topic" for the newest ones.');
    }
    if (request.connection === undefined && request.subject === undefined) {
      throw new HubError('criteria-missing', 'Say whose connection is meant: by "connection" or "subject".');
    }
    const explanations = await this.parts.explanations.explain({
      ...request,
      isOver: () => reply.raw.destroyed,
    });
    if (explanations.length === 0) {
      throw new HubError('not-found', 'There is, and lately was, no such connection at this process: ask another one.');
    }
    return { process: hub.processId, summary: summaryOf(explanations), explanations };
  }
}

function summaryOf(explanations: readonly Explanation[]): string {
  const [first] = explanations;
  if (first && explanations.length === 1) return first.summary;
  const counts = new Map<string, number>();
  for (const { verdict } of explanations) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return `Of ${explanations.length} explanations, the newest update first: ${[...counts].map(([verdict, count]) => `${count} × ${verdict}`).join(', ')}.`;
}
