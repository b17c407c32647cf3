/** `herald-nest/request-log`: a line in the log for each request, and names for requests. */
export { HeraldRequestLogModule, type RequestLogOptions } from './request-log.module.js';
export type { RequestLevel, RequestLine } from './request-lines.js';
