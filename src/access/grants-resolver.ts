import type { HubRequest } from '../shared/exchange/hub-request.js';
import type { Role } from '../shared/role.js';
import type { Grants } from './grants.js';

/**
 * Finds out what the caller of a request may do: from a token ({@link TokenGrantsResolver}), or, in an application that
 * has its own (`HeraldModule.forRoot({ grantsResolver })`), from a session, an API key or a user.
 */
export abstract class GrantsResolver {
  /**
   * What the caller may do in this role, or undefined when the request has no credentials. It may answer at once, or with a
   * promise.
   * @throws {HubError} `token-malformed`, `token-invalid`, … when the credentials are not valid: such a request is
   * refused, and never served as if it had none.
   */
  abstract resolve(request: HubRequest, role: Role): Grants | undefined | Promise<Grants | undefined>;
}
