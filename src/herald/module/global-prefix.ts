import { RequestMethod } from '@nestjs/common';
import type { ApplicationConfig, ModuleRef } from '@nestjs/core';

/**
 * Keeps these paths, and all below them, outside of the application's global prefix, because a standard fixes them. It must
 * run before the routes are made.
 *
 * Nest lets only the application itself say so (`setGlobalPrefix(prefix, { exclude })`), so this changes the same setting in
 * a part of Nest that is not public.
 * @throws Error where this version of Nest has no such part, if the application has a prefix.
 */
export function keepOutOfPrefix(moduleRef: ModuleRef, paths: readonly string[]): void {
  const config = configOf(moduleRef);
  if (!config)
    throw new Error(
      'Herald can not find the global prefix in this version of Nest: please report it with the version.',
    );
  if (config.getGlobalPrefix() === '') return;
  const { exclude = [], ...others } = config.getGlobalPrefixOptions();
  const own = paths.map((path) => ({
    path: `${path}{/*rest}`,
    requestMethod: RequestMethod.ALL,
    pathRegex: new RegExp(`^${path.replaceAll('.', String.raw`\.`)}(?:/.*)?$`, 'i'),
  }));
  config.setGlobalPrefixOptions({ ...others, exclude: [...exclude, ...own] });
}

/** The application's global prefix as paths begin with it, such as `/api`; empty where there is none. */
export function globalPrefixOf(moduleRef: ModuleRef): string {
  const prefix = configOf(moduleRef)?.getGlobalPrefix() ?? '';
  return prefix === '' ? '' : `/${prefix.replaceAll(/^\/+|\/+$/g, '')}`;
}

function configOf(moduleRef: ModuleRef): ApplicationConfig | undefined {
  const container = Reflect.get(moduleRef, 'container') as
    { readonly applicationConfig?: ApplicationConfig } | undefined;
  return container?.applicationConfig;
}
