import { type DynamicModule, Module } from '@nestjs/common';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { PublishGuard, SubscribeGuard } from './guards.js';
import { TokenVerifier } from './token-verifier.js';

/** Who may: tokens become grants here, and guards ask for them. */
@Module({})
export class AuthModule {
  static forRoot(options: AuthOptions): DynamicModule {
    return {
      module: AuthModule,
      global: true,
      providers: [TokenVerifier, PublishGuard, SubscribeGuard, { provide: AUTH_OPTIONS, useValue: options }],
      exports: [TokenVerifier, PublishGuard, SubscribeGuard, AUTH_OPTIONS],
    };
  }
}
