import type { Type } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';

/** All instances of a class that modules of the application provide by its own name: each hub has one. */
export function instancesOf<T>(type: Type<T>, discovery: DiscoveryService): T[] {
  const wrappers = discovery.getProviders().filter(({ metatype }) => metatype === type);
  return wrappers.map(({ instance }) => instance as T);
}
