import type { Provider } from '@nestjs/common';
import { Drain } from './drain/drain.js';
import { LaneRequests } from './lane/lane-requests.js';
import { SseExplorer } from './nest-sse/sse.explorer.js';
import { StreamRegistry } from './registry/stream-registry.js';

/**
 * What looks after streams. It needs `STREAM_OPTIONS`, `DRAIN_OPTIONS`, `STREAM_PATH` and `SSE_EXPLORER_OPTIONS` beside it,
 * and Nest's `DiscoveryModule`.
 */
export const STREAM_PROVIDERS: readonly Provider[] = [SseExplorer, LaneRequests, StreamRegistry, Drain];
