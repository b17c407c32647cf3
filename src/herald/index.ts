/** The public API for applications that use the hub as a module. */
export type { AuthOptions } from '../auth/settings/auth.options.js';
export type { IssuerConfig, KeySetConfig } from '../config/keys/issuers.js';
export type { Role } from '../shared/role.js';
export { parseKey, type VerificationKey } from '../config/keys/keys.js';
export { GrantsResolver } from '../access/grants-resolver.js';
export type { HubReply } from '../shared/exchange/hub-reply.js';
export type { HubRequest } from '../shared/exchange/hub-request.js';
export { GrantsOfRequest, PublishGuard, SubscribeGuard } from '../access/guards.js';
export { AdminGuard } from '../auth/tokens/admin.guard.js';
export { SessionGrantsResolver } from '../auth/sessions/session-grants-resolver.js';
export { TokenGrantsResolver } from '../auth/tokens/token-grants-resolver.js';
export { HeraldModule } from './module/herald.module.js';
export type {
  HeraldExtras,
  HeraldJournalOptions,
  HeraldOptions,
  HeraldStreamOptions,
  HubGuards,
} from './module/herald.options.js';
export { hubToken, InjectHub } from './inject-hub.js';
export { SseModule, type SseModuleOptions } from './sse.module.js';
export type { UpdateDraft } from '../hub/update/check-update.js';
export { ANONYMOUS, type Grants, UNLIMITED } from '../access/grants.js';
export type { CallerKey } from '../access/caller.js';
export { HUB_ERRORS, HubError, type HubErrorCode } from '../access/hub.errors.js';
export type { Limit } from '../shared/http/problem.js';
export {
  HistoryService,
  type HistoryRequest,
  type PastTopic,
  type PastUpdate,
  type PastUpdates,
  type TopicsPage,
  type TopicsRequest,
} from '../hub/service/history.service.js';
export { HubService } from '../hub/service/hub.service.js';
export { Bodies, type BodyOptions } from '../hub/http/bodies/bodies.js';
export { HubErrorFilter, MetadataAddress } from '../hub/http/hub-error.filter.js';
export type { HubOptions } from '../hub/service/hub.options.js';
export type { BatchOptions } from '../hub/http/publish/batch/batches.js';
export type { Rate } from '../hub/limits/allowance.js';
export type { PublishQuotaOptions } from '../hub/limits/publish-quota.js';
export type { Matcher, MatcherType } from '../hub/matching/matcher.js';
export type { RedisJournalOptions } from '../storage/journal/redis/redis-journal.js';
export type { RedisAddress, RedisLogin, RedisTlsFiles } from '../storage/redis/redis-target.js';
export type { TraceContext } from '../shared/trace/trace-context.js';
export type { Span, SpanAttributes, SpanCounts, SpanStart, Tracer } from '../shared/trace/tracer.js';
export { Drain, type DrainOptions, type DrainState } from '../streams/drain/drain.js';
export { ManagedSse, type ManagedSseOptions } from '../streams/nest-sse/managed-sse.js';
export { type StreamOptions, StreamRegistry } from '../streams/registry/stream-registry.js';
export { NotPublishedError } from './not-published-error.js';
export {
  type HandlerOf,
  PublishTo,
  type PublishToDecorator,
  type PublishToOptions,
  type RouteParams,
} from './publish-to.js';
export type { Topics, UpdateMapping } from './update-mapping.js';

// What code of the same process asks the hub for.
export type { HubNotice, HubUpdate, HubUpdates, UpdatesOptions } from '../hub/in-process/hub-updates.js';
export type { Match, OneMatch } from '../hub/in-process/match.js';
export type { BatchAnswer, BatchDraft } from '../hub/in-process/publish-batch.js';
export type { LatestUpdates } from '../hub/service/history.service.js';
export type { HistoryOptions } from '../hub/service/hub.service.js';
export type { PublishOptions } from '../hub/service/publications.js';
export type { PublishDraft } from '../hub/update/publish-draft.js';
export { isResumable, type Resumable, type SourceNotice } from '../streams/nest-sse/resumable.js';
export type { Revocation } from '../access/token-revocations.js';
export type { PurgeCriteria } from '../hub/service/administration.js';
export type {
  ConnectionCriteria,
  ConnectionsPage,
  ConnectionsRequest,
  HubConnection,
} from '../hub/service/hub-connection.js';

// What a journal of one's own is made of, and a state that processes share. `herald-nest/contracts` tests them.
export {
  type Appended,
  type AppendOptions,
  type DamagedEntry,
  type Entry,
  firstPositionOf,
  isPresence,
  isWhole,
  Journal,
  JournalFullError,
  JournalOpenError,
  JournalUnavailableError,
  type JournalUsage,
  type Obstacle,
  type PresenceEntry,
  type ReadEntry,
  type Reading,
  type RemovalListener,
  type ResetListener,
  type Retention,
  type StoredEntry,
  type TailListener,
} from '../storage/journal/journal.js';
export { eventIdOf, newRecordId, type PresenceRecord } from '../storage/journal/presence-record.js';
export type {
  HeldTopic,
  TopicAddresses,
  TopicLookup,
  TopicPage,
  TopicQuery,
} from '../storage/journal/topics/topic-lookup.js';
export type { Update } from '../storage/journal/update.js';
export { guardListener } from '../storage/journal/guard-listener.js';
export {
  type Arrival,
  type Departure,
  type Entered,
  type Lease,
  type LivingProcess,
  type ProcessReport,
  type Revoked,
  SharedState,
} from '../storage/state/shared-state.js';
