/** `herald-nest/metrics`: what a hub has done and holds, for Prometheus and whatever reads its formats. */
export { type AroundHub, HubAdminGuard } from '../module/hub-parts.js';
export { HeraldMetricsModule, type HeraldMetricsOptions } from './herald-metrics.module.js';
export { HubMetrics } from './hub-metrics.js';
