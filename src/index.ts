/** What an application imports that has the hub as its own module. */
export type { AuthOptions } from './auth/auth.options.js';
export type { IssuerConfig, Role } from './config/issuers.js';
export { parseKey, type VerificationKey } from './config/keys.js';
export { GrantsResolver } from './auth/grants-resolver.js';
export { AdminGuard, GrantsOfRequest, PublishGuard, SubscribeGuard } from './auth/guards.js';
export { TokenGrantsResolver } from './auth/token-grants-resolver.js';
export { HeraldModule, type HeraldOptions } from './herald.module.js';
export type { UpdateDraft } from './hub/check-update.js';
export { ANONYMOUS, type Grants, UNLIMITED } from './hub/grants.js';
export { HubError, type HubErrorCode } from './hub/hub.errors.js';
export { HubService } from './hub/hub.service.js';
export { acceptBodies } from './server/bodies.js';
export { SseModule } from './sse/sse.module.js';
export { StreamRegistry } from './sse/stream-registry.js';
