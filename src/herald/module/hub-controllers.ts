import { type CanActivate, type Type } from '@nestjs/common';
import { GUARDS_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataController } from '../../auth/metadata/metadata.controller.js';
import { HistoryController } from '../../hub/http/history/history.controller.js';
import { PublishController } from '../../hub/http/publish/publish.controller.js';
import { SubscribeController } from '../../hub/http/subscribe/subscribe.controller.js';
import { SubscriptionsController } from '../../hub/http/subscriptions/subscriptions.controller.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import type { HeraldExtras, HubGuards } from './herald.options.js';

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
    changed(controller, { path, guards: guardsOf(guards), decorators }),
  );
}

interface Change {
  readonly path: string;
  readonly guards: readonly Type<CanActivate>[] | undefined;
  readonly decorators: readonly ClassDecorator[];
}

/** It is a subclass where something changes, because metadata is what a class has once. */
function changed(controller: Type, { path, guards, decorators }: Change): Type {
  if (path === HUB_PATH && !guards && decorators.length === 0) return controller;
  const own = class extends controller {};
  Object.defineProperty(own, 'name', { value: controller.name });
  const usual = Reflect.getMetadata(PATH_METADATA, controller) as string;
  Reflect.defineMetadata(PATH_METADATA, usual.replace(HUB_PATH, path), own);
  if (guards) Reflect.defineMetadata(GUARDS_METADATA, [...guards], own);
  for (const decorate of decorators) decorate(own);
  return own;
}
