import type { Type } from '@nestjs/common';
import type { Operation, Operations } from '../../access/openapi/operation.js';
import { DeveloperTokensController } from '../developer/developer-tokens.controller.js';
import { DEVELOPER_TOKENS } from '../developer/developer-tokens.openapi.js';
import { MetadataController } from '../../auth/metadata/metadata.controller.js';
import { METADATA } from '../../auth/metadata/metadata.openapi.js';
import { EventsController } from '../../events/events.controller.js';
import { HistoryController } from '../../hub/http/history/history.controller.js';
import { HISTORY } from '../../hub/http/history/history.openapi.js';
import { PublishController } from '../../hub/http/publish/publish.controller.js';
import { PUBLISHING } from '../../hub/http/publish/publish.openapi.js';
import { SubscribeController } from '../../hub/http/subscribe/subscribe.controller.js';
import { SUBSCRIBING } from '../../hub/http/subscribe/subscribe.openapi.js';
import { SubscriptionsController } from '../../hub/http/subscriptions/subscriptions.controller.js';
import { SUBSCRIPTIONS } from '../../hub/http/subscriptions/subscriptions.openapi.js';
import { AdminController } from '../../herald/administration/admin.controller.js';
import { ADMINISTRATION } from '../../herald/administration/admin.openapi.js';
import { DrainController } from '../../herald/administration/drain.controller.js';
import { DRAINING } from '../../herald/administration/drain.openapi.js';
import { ExplainController } from '../../herald/administration/explain.controller.js';
import { EXPLAINING } from '../../herald/administration/explain.openapi.js';
import { UpdatesController } from '../../herald/administration/updates.controller.js';
import { UPDATES } from '../../herald/administration/updates.openapi.js';
import { HealthController } from '../../herald/health/health.controller.js';
import { HEALTH } from '../../herald/health/health.openapi.js';
import { MetricsController } from '../../herald/metrics/metrics.controller.js';
import { METRICS } from '../../herald/metrics/metrics.openapi.js';
import { HealthzController } from '../health/healthz.controller.js';
import { EVENTS } from './events.openapi.js';
import { OpenApiController } from './openapi.controller.js';
import { OWN } from './own.openapi.js';

/** What the document says of each controller, by the controller's name: a new controller gets a line here. */
const DESCRIPTIONS: ReadonlyMap<string, Readonly<Record<string, Operation>>> = new Map([
  of(SubscribeController, SUBSCRIBING),
  of(PublishController, PUBLISHING),
  of(HistoryController, HISTORY),
  of(SubscriptionsController, SUBSCRIPTIONS),
  of(MetadataController, METADATA),
  of(EventsController, EVENTS),
  of(HealthController, HEALTH),
  of(HealthzController, HEALTH),
  of(MetricsController, METRICS),
  of(AdminController, ADMINISTRATION),
  of(UpdatesController, UPDATES),
  of(ExplainController, EXPLAINING),
  of(DrainController, DRAINING),
  of(DeveloperTokensController, DEVELOPER_TOKENS),
  of(OpenApiController, OWN),
]);

/** What a handler's routes do; undefined where nobody has said it. */
export function descriptionOf(controller: string, handler: string): Operation | undefined {
  return DESCRIPTIONS.get(controller)?.[handler];
}

function of<Controller>(
  { name }: Type<Controller>,
  operations: Operations<Controller>,
): [string, Readonly<Record<string, Operation>>] {
  return [name, operations];
}
