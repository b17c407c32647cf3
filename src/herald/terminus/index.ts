/** `herald-nest/terminus`: whether a hub is healthy, for `@nestjs/terminus`. */
export { HeraldHealthIndicator } from './herald-health.indicator.js';
