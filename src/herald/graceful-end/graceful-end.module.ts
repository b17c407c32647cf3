import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { GRACEFUL_END_OPTIONS, GracefulEnd, type GracefulEndOptions } from './graceful-end.js';
import { Http2Sessions } from './http2-sessions.js';

/** Milliseconds that requests under way are given to finish. */
const PATIENCE = 5_000;

/** How far this module is from the root, which is at 1. */
const BEFORE_ROOT = 0;

/**
 * Has an application end in order, at `app.close()`: the streams of all its hubs, and those of `SseModule`, are let go while
 * everything goes on, requests under way are answered, and then all sockets are closed. It is about all requests of the
 * application, and so stands once in it.
 */
@Module({})
export class HeraldGracefulEndModule {
  /**
   * At the end Nest calls the hooks of one module after the other, those of the root first and those of global modules last.
   * A database that closes in one of them is needed until the clients have left. Nest has no public way to say so.
   */
  constructor(modules: ModulesContainer) {
    for (const module of modules.values()) {
      if (module.metatype === HeraldGracefulEndModule) module.distance = BEFORE_ROOT;
    }
  }

  static forRoot({ patience = PATIENCE }: GracefulEndOptions = {}): DynamicModule {
    return {
      module: HeraldGracefulEndModule,
      imports: [DiscoveryModule],
      providers: [GracefulEnd, Http2Sessions, { provide: GRACEFUL_END_OPTIONS, useValue: { patience } }],
      exports: [GracefulEnd],
    };
  }
}
