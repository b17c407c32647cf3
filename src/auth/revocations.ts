import { Injectable } from '@nestjs/common';
import type { Caller } from '../sse/caller.js';
import { HubError } from '../hub/hub.errors.js';

/** Tokens that no longer count, although they have not expired: those that have all that is named. */
export interface Revocation {
  /** The token's own name (`jti`). */
  readonly tokenId?: string;
  readonly subject?: string;
  /** Milliseconds since the epoch: tokens from this time on are good again. A token without a time of issue is older. */
  readonly issuedBefore?: number;
}

const MAX_REVOCATIONS = 100_000;

/** What has been revoked. Looked at for every request that brings a token, so it's found by hash. */
@Injectable()
export class Revocations {
  /** Up to which time of issue tokens don't count, by what they have in common. */
  private readonly limits = new Map<string, number>();

  /**
   * What was revoked before stays so.
   * @throws {HubError} `revocations-too-many`: dropping an older one would let somebody in again.
   */
  add({ tokenId, subject, issuedBefore = Infinity }: Revocation): void {
    const name = nameOf(tokenId, subject);
    const earlier = this.limits.get(name);
    // There is always room for the one that is about everybody.
    if (earlier === undefined && name !== EVERYBODY && this.limits.size >= MAX_REVOCATIONS) {
      throw new HubError('revocations-too-many', 'Too many tokens are revoked: revoke by issued_before instead.');
    }
    this.limits.set(name, Math.max(issuedBefore, earlier ?? -Infinity));
  }

  revokes({ tokenId, subject, issuedAt = 0 }: Caller): boolean {
    if (this.limits.size === 0) return false;
    const names = [EVERYBODY, nameOf(tokenId, undefined), nameOf(undefined, subject), nameOf(tokenId, subject)];
    return names.some((name) => issuedAt < (this.limits.get(name) ?? -Infinity));
  }
}

/** As JSON, in which no name can be taken for another. */
function nameOf(tokenId: string | undefined, subject: string | undefined): string {
  return JSON.stringify({ tokenId, subject });
}

const EVERYBODY = nameOf(undefined, undefined);
