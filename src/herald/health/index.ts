/** `herald-nest/health`: whether a process with a hub is alive, and whether to send it traffic, for orchestrators. */
export type { AroundHub } from '../module/hub-parts.js';
export { HeraldHealthModule, type HeraldHealthOptions } from './herald-health.module.js';
