import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AUTH_OPTIONS, type AuthOptions } from './settings/auth.options.js';
import { MetadataAddress } from '../hub/http/hub-error.filter.js';
import { GrantsResolver } from '../access/grants-resolver.js';
import { ACCESS_OPTIONS } from '../access/access.options.js';
import { PublishGuard, SubscribeGuard } from '../access/guards.js';
import { AdminGuard } from './tokens/admin.guard.js';
import { KeyDepartures } from './tokens/key-departures.js';
import { MetadataController } from './metadata/metadata.controller.js';
import { Revocations } from './revocations/revocations.js';
import { SessionGrantsResolver } from './sessions/session-grants-resolver.js';
import { TokenGrantsResolver } from './tokens/token-grants-resolver.js';
import { TokenMetadataAddress } from './metadata/token-metadata-address.js';
import { TokenVerifier } from './tokens/token-verifier.js';
import { TrustedIssuers } from './tokens/trusted-issuers.js';

export interface AuthModuleOptions extends AuthOptions {
  /** Decides what callers may do; by default from tokens, and from sessions where there is an `authorizeUrl`. Its own dependencies must come from global modules. */
  readonly grantsResolver?: Type<GrantsResolver>;
}

const SHARED = [
  TrustedIssuers,
  TokenVerifier,
  TokenGrantsResolver,
  Revocations,
  KeyDepartures,
  PublishGuard,
  SubscribeGuard,
  AdminGuard,
];

/** Access control: tokens, or what the application has instead, become grants here, which guards ask for. */
@Module({})
export class AuthModule {
  static forRoot({ grantsResolver: given, ...options }: AuthModuleOptions): DynamicModule {
    const usual = options.authorizeUrl === undefined ? TokenGrantsResolver : SessionGrantsResolver;
    const grantsResolver = given ?? usual;
    const resolver =
      grantsResolver === TokenGrantsResolver
        ? { provide: GrantsResolver, useExisting: TokenGrantsResolver }
        : { provide: GrantsResolver, useClass: grantsResolver };
    return {
      module: AuthModule,
      global: true,
      controllers: [MetadataController],
      providers: [
        ...SHARED,
        resolver,
        { provide: MetadataAddress, useClass: TokenMetadataAddress },
        { provide: AUTH_OPTIONS, useValue: options },
        { provide: ACCESS_OPTIONS, useValue: { anonymous: options.anonymous } },
      ],
      exports: [...SHARED, GrantsResolver, MetadataAddress, ACCESS_OPTIONS, AUTH_OPTIONS],
    };
  }
}
