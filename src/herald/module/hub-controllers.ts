import type { Type } from '@nestjs/common';
import { MetadataController } from '../../auth/metadata/metadata.controller.js';
import { HistoryController } from '../../hub/http/history/history.controller.js';
import { PublishController } from '../../hub/http/publish/publish.controller.js';
import { SubscribeController } from '../../hub/http/subscribe/subscribe.controller.js';
import { SubscriptionsController } from '../../hub/http/subscriptions/subscriptions.controller.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import type { HeraldExtras, HubGuards } from './herald.options.js';
import { ownController } from './own-controller.js';

/** The controllers of the hub's routes, and whose guards each has. */
const CONTROLLERS: readonly (readonly [Type, (guards: HubGuards) => HubGuards['publish']])[] = [
  [PublishController, ({ publish }) => publish],
  [SubscribeController, ({ subscribe }) => subscribe],
  [SubscriptionsController, ({ subscribe }) => subscribe],
  [HistoryController, ({ subscribe }) => subscribe],
  [MetadataController, () => undefined],
];

/** The hub's controllers as an application wants them: at another path, behind other guards, with decorators of its own. */
export function hubControllers({ path, guards, decorators }: Required<HeraldExtras>): Type[] {
  return CONTROLLERS.map(([controller, guardsOf]) =>
    ownController(controller, { usual: HUB_PATH, path, guards: guardsOf(guards), decorators }),
  );
}
