/** The public API for applications that use the hub as a module. */
export type { AuthOptions } from '../auth/settings/auth.options.js';
export type { IssuerConfig } from '../config/keys/issuers.js';
export type { Role } from '../shared/role.js';
export { parseKey, type VerificationKey } from '../config/keys/keys.js';
export { GrantsResolver } from '../access/grants-resolver.js';
export type { HubRequest } from '../shared/exchange/hub-request.js';
export { GrantsOfRequest, PublishGuard, SubscribeGuard } from '../access/guards.js';
export { AdminGuard } from '../auth/tokens/admin.guard.js';
export { SessionGrantsResolver } from '../auth/sessions/session-grants-resolver.js';
export { TokenGrantsResolver } from '../auth/tokens/token-grants-resolver.js';
export { HeraldModule } from './herald.module.js';
export type {
  HeraldExtras,
  HeraldJournalOptions,
  HeraldOptions,
  HeraldStreamOptions,
  HubGuards,
} from './herald.options.js';
export { hubToken, InjectHub } from './inject-hub.js';
export { SseModule, type SseModuleOptions } from './sse.module.js';
export type { UpdateDraft } from '../hub/update/check-update.js';
export { ANONYMOUS, type Grants, UNLIMITED } from '../access/grants.js';
export { HubError, type HubErrorCode } from '../access/hub.errors.js';
export {
  HistoryService,
  type HistoryRequest,
  type PastUpdate,
  type PastUpdates,
} from '../hub/service/history.service.js';
export { HubService } from '../hub/service/hub.service.js';
export { Bodies, type BodyOptions } from '../hub/http/bodies/bodies.js';
export { HubErrorFilter, MetadataAddress } from '../hub/http/hub-error.filter.js';
export type { HubOptions } from '../hub/service/hub.options.js';
export { Drain, type DrainOptions } from '../streams/drain/drain.js';
export { ManagedSse, type ManagedSseOptions } from '../streams/nest-sse/managed-sse.js';
export { type StreamOptions, StreamRegistry } from '../streams/registry/stream-registry.js';
export { NotPublishedError } from './not-published-error.js';
export { PublishTo, type PublishToOptions, type RouteParams } from './publish-to.js';
export type { Topics, UpdateMapping } from './update-mapping.js';
