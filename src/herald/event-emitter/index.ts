/** `herald-nest/event-emitter`: events of `@nestjs/event-emitter` become updates. */
export { bridgeEvents, type EventMapping } from './bridge-events.js';
