import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { GrantsResolver } from '../../access/grants-resolver.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import { requestOf } from '../../access/guarded-request.js';
import { HubError } from '../../access/hub.errors.js';
import { TrustedIssuers } from './trusted-issuers.js';

/** Lets administrators in. Answers 404 where no key for administrators is configured. */
@Injectable()
export class AdminGuard implements CanActivate {
  /** @internal Nest calls it. */
  constructor(
    private readonly resolver: GrantsResolver,
    private readonly guarded: GuardedGrants,
    private readonly issuers: TrustedIssuers,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.issuers.hasKeysFor('admin')) throw new HubError('not-found', 'There is nothing at this path.');
    const request = requestOf(context);
    const given = await this.resolver.resolve(request, 'admin');
    if (!given) throw new HubError('unauthorized', "This needs an administrator's token.");
    const grants = this.guarded.of(given);
    if (!grants.isAdmin) throw new HubError('insufficient-scope', 'The token does not grant the "admin" action.');
    request.grants = grants;
    return true;
  }
}
