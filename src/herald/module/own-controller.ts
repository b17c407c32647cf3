import type { CanActivate, Type } from '@nestjs/common';
import { GUARDS_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';

/** What an application wants otherwise of a controller. */
export interface ControllerChange {
  /** The path that the controller usually begins with, and the one that it is to have instead. */
  readonly usual: string;
  readonly path: string;
  /** In place of the controller's own guards. */
  readonly guards?: readonly Type<CanActivate>[] | undefined;
  readonly decorators?: readonly ClassDecorator[];
}

/** A controller as an application wants it. It is a subclass where something changes, because metadata is what a class has once. */
export function ownController(controller: Type, { usual, path, guards, decorators = [] }: ControllerChange): Type {
  if (path === usual && !guards && decorators.length === 0) return controller;
  const own = class extends controller {};
  Object.defineProperty(own, 'name', { value: controller.name });
  const given = Reflect.getMetadata(PATH_METADATA, controller) as string;
  Reflect.defineMetadata(PATH_METADATA, given.replace(usual, path), own);
  if (guards) Reflect.defineMetadata(GUARDS_METADATA, [...guards], own);
  for (const decorate of decorators) decorate(own);
  return own;
}
