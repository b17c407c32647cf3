import type { Provider } from '@nestjs/common';
import { GuardedGrants } from '../access/guarded-grants.js';
import { Bodies } from './http/bodies/bodies.js';
import { Batches } from './http/publish/batch/batches.js';
import { Administration } from './service/administration.js';
import { ExplainService } from './service/explain.service.js';
import { HistoryService } from './service/history.service.js';
import { HubService } from './service/hub.service.js';

/**
 * Publish and subscribe, over HTTP and for other modules (`HubService`). It needs a `Journal`, a `SharedState`,
 * `HUB_OPTIONS`, `BODY_OPTIONS` and `BATCH_OPTIONS` beside it, and what streams and access control provide.
 */
export const HUB_PROVIDERS: readonly Provider[] = [
  HubService,
  HistoryService,
  ExplainService,
  Administration,
  GuardedGrants,
  Bodies,
  Batches,
];
