/** `herald-nest/graceful-end`: the end of an application, in order. */
export { GracefulEnd, type GracefulEndOptions } from './graceful-end.js';
export { HeraldGracefulEndModule } from './graceful-end.module.js';
