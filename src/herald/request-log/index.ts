/** `herald-nest/request-log`: a line in the log for each request, and names for requests. */
export { HeraldRequestLogModule, type RequestLogOptions } from './request-log.module.js';
export type { RequestLevel, RequestLine, RequestLinesOptions } from './request-lines.js';
export { logRequests } from './log-requests.js';
export { nameRequests } from './name-requests.js';
export type { RequestHooks } from './request-hooks.js';
