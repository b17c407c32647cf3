import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';

/**
 * A global guard that applies to one controller only. It is for a controller that should not mention guards itself,
 * such as an example that people copy.
 */
export function guardController(controller: Type, guard: CanActivate): CanActivate {
  return {
    canActivate: (context: ExecutionContext) => context.getClass() !== controller || guard.canActivate(context),
  };
}
