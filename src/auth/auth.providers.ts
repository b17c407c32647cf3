import type { Provider } from '@nestjs/common';
import { GrantsResolver } from '../access/grants-resolver.js';
import { PublishGuard, SubscribeGuard } from '../access/guards.js';
import { TokenRevocations } from '../access/token-revocations.js';
import { MetadataAddress } from '../hub/http/hub-error.filter.js';
import { CheckedRevocations } from './checked-revocations.js';
import { TokenMetadataAddress } from './metadata/token-metadata-address.js';
import { Revocations } from './revocations/revocations.js';
import { SessionGrantsResolver } from './sessions/session-grants-resolver.js';
import { AUTH_OPTIONS, type AuthOptions } from './settings/auth.options.js';
import { AdminGuard } from './tokens/admin.guard.js';
import { KeyDepartures } from './tokens/key-departures.js';
import { TokenGrantsResolver } from './tokens/token-grants-resolver.js';
import { TokenVerifier } from './tokens/token-verifier.js';
import { TrustedIssuers } from './tokens/trusted-issuers.js';

/**
 * Access control: tokens, or what the application has instead, become grants here, which guards ask for. It needs
 * `AUTH_OPTIONS` and `ACCESS_OPTIONS` beside it.
 */
export const AUTH_PROVIDERS: readonly Provider[] = [
  TrustedIssuers,
  TokenVerifier,
  TokenGrantsResolver,
  Revocations,
  { provide: TokenRevocations, useClass: CheckedRevocations },
  KeyDepartures,
  PublishGuard,
  SubscribeGuard,
  AdminGuard,
  { provide: MetadataAddress, useClass: TokenMetadataAddress },
  {
    provide: GrantsResolver,
    inject: [AUTH_OPTIONS, TokenGrantsResolver, TokenVerifier, Revocations],
    useFactory: usualResolver,
  },
];

/** By default tokens say what callers may do, and sessions too where there is an `authorizeUrl`. */
function usualResolver(
  options: AuthOptions,
  tokens: TokenGrantsResolver,
  verifier: TokenVerifier,
  revocations: Revocations,
): GrantsResolver {
  if (options.authorizeUrl === undefined) return tokens;
  return new SessionGrantsResolver(tokens, verifier, revocations, options);
}
