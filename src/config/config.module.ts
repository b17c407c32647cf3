import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from './config.js';

/** The injection token of the {@link Config}. */
export const CONFIG = Symbol('config');

/** Gives the one validated configuration to whoever injects {@link CONFIG}. */
@Module({})
export class ConfigModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
    };
  }
}
