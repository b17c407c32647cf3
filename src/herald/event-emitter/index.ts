/** `herald-nest/event-emitter`: events of `@nestjs/event-emitter` become updates. */
export { bridgeEvents, type EventMapping, type EventName } from './bridge-events.js';
