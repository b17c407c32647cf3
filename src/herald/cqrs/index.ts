/** `herald-nest/cqrs`: events of `@nestjs/cqrs` become updates. */
export { bridgeEventBus, type ClassOf, type DomainEventMapping } from './bridge-event-bus.js';
