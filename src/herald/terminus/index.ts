/** `herald-nest/terminus`: whether a hub is healthy, for `@nestjs/terminus`. */
export { heraldHealth, heraldHealthToken, InjectHeraldHealth } from './herald-health.js';
export { HeraldHealthIndicator } from './herald-health.indicator.js';
