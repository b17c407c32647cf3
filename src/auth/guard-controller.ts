import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';

/**
 * A global guard that watches over one controller only: for a controller that must not know of guards itself, such as an
 * example that people copy.
 */
export function guardController(controller: Type, guard: CanActivate): CanActivate {
  return {
    canActivate: (context: ExecutionContext) => context.getClass() !== controller || guard.canActivate(context),
  };
}
