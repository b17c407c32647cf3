import { Injectable } from '@nestjs/common';
import { HubError } from '../access/hub.errors.js';
import { type Revocation, TokenRevocations } from '../access/token-revocations.js';
import { Revocations } from './revocations/revocations.js';
import { TrustedIssuers } from './tokens/trusted-issuers.js';

/** Revokes tokens of which it is clear whose they are. */
@Injectable()
export class CheckedRevocations extends TokenRevocations {
  constructor(
    private readonly revocations: Revocations,
    private readonly issuers: TrustedIssuers,
  ) {
    super();
  }

  async add(revocation: Revocation): Promise<number> {
    const { subject, issuer } = revocation;
    // Each issuer has subjects of its own, and another one's must not be shut out with them.
    if (subject !== undefined && issuer === undefined && this.issuers.all.length > 1) {
      throw new HubError('criteria-missing', 'Several issuers are trusted: say by the issuer whose subject is meant.');
    }
    return this.revocations.add(revocation);
  }
}
