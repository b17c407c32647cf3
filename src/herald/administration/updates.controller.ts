import { Controller, Delete, Get, Inject, Query, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { z } from 'zod';
import { HubError } from '../../access/hub.errors.js';
import { HUB_LIMITS } from '../../hub/limits/hub.limits.js';
import { WILDCARD } from '../../hub/matching/matcher.js';
import type { PurgeCriteria } from '../../hub/service/administration.js';
import type { PastTopic } from '../../hub/service/history.service.js';
import { HUB_PARTS, HubAdminGuard, type HubParts } from '../module/hub-parts.js';
import { HubPartsFilter } from '../module/hub-parts.filter.js';
import { parse } from './parse.js';

const LARGEST_PAGE = 1_000;

const text = z.string().max(HUB_LIMITS.topicBytes);

/** Taking out everything must be meant, and a wildcard is easily given by mistake. */
const narrow = text.refine((given) => given !== WILDCARD);

export const topicsSchema = z.strictObject({
  prefix: text.default(''),
  limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(100),
  from: z.string().max(16_384).optional(),
});

export const removalSchema = z.strictObject({
  topic: narrow.optional(),
  id: z.string().min(1).max(HUB_LIMITS.idLength).optional(),
  match_urlpattern: narrow.optional(),
});

/** Routes for administrators: which topics there are, and taking updates out of the history for good. */
@Controller({ path: 'admin', version: VERSION_NEUTRAL })
@UseFilters(HubPartsFilter)
@UseGuards(HubAdminGuard)
export class UpdatesController {
  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {}

  /** The topics of held updates that begin with `prefix`. `next` is the value of `from` that asks for the next page. */
  @Get('topics')
  async topics(@Query() query: unknown): Promise<object> {
    const request = parse(topicsSchema, query, 'prefix, limit and from');
    const { topics, next } = await this.parts.history.topics(request);
    return { topics: await Promise.all(topics.map((topic) => this.rowOf(topic))), next };
  }

  /** Takes updates out: those with a topic, with an id, or whose topics match a URL Pattern. */
  @Delete('updates')
  async remove(@Query() query: unknown): Promise<object> {
    const given = parse(removalSchema, query, 'one of topic, id and match_urlpattern, and not the wildcard');
    return { removed: await this.parts.hub.purge(criteriaOf(given)) };
  }

  private async rowOf({ topic, count, newestId, newestTime }: PastTopic): Promise<object> {
    const subscribers = await this.parts.hub.readersOf(topic);
    return { topic, count, newest: { id: newestId, time: newestTime?.toISOString() }, subscribers };
  }
}

function criteriaOf({ topic, id, match_urlpattern: urlPattern }: z.output<typeof removalSchema>): PurgeCriteria {
  const [criteria, ...others] = [
    ...(topic === undefined ? [] : [{ topics: topic }]),
    ...(id === undefined ? [] : [{ ids: id }]),
    ...(urlPattern === undefined ? [] : [{ pattern: urlPattern }]),
  ];
  if (criteria && others.length === 0) return criteria;
  throw new HubError(
    'criteria-missing',
    'Say which updates are meant: by one of "topic", "id" and "match_urlpattern".',
  );
}
