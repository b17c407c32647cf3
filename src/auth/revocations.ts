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
  private readonly tokens = new Map<string, Revocation>();
  private readonly subjects = new Map<string, Revocation>();
  private everybody: Revocation | undefined;

  /** @throws {HubError} `revocations-too-many`: dropping an older one would let somebody in again. */
  add(revocation: Revocation): void {
    const { tokenId, subject } = revocation;
    if (this.tokens.size + this.subjects.size >= MAX_REVOCATIONS) {
      throw new HubError('revocations-too-many', 'Too many tokens are revoked: revoke by issued_before instead.');
    }
    if (tokenId !== undefined) this.tokens.set(tokenId, revocation);
    else if (subject !== undefined) this.subjects.set(subject, later(this.subjects.get(subject), revocation));
    else this.everybody = later(this.everybody, revocation);
  }

  revokes(caller: Caller): boolean {
    const { tokenId, subject } = caller;
    return (
      covers(this.everybody, caller) ||
      (tokenId !== undefined && covers(this.tokens.get(tokenId), caller)) ||
      (subject !== undefined && covers(this.subjects.get(subject), caller))
    );
  }
}

function covers(revocation: Revocation | undefined, { tokenId, subject, issuedAt = 0 }: Caller): boolean {
  if (!revocation) return false;
  if (revocation.tokenId !== undefined && revocation.tokenId !== tokenId) return false;
  if (revocation.subject !== undefined && revocation.subject !== subject) return false;
  return issuedAt < (revocation.issuedBefore ?? Infinity);
}

function later(one: Revocation | undefined, other: Revocation): Revocation {
  return one && (one.issuedBefore ?? Infinity) > (other.issuedBefore ?? Infinity) ? one : other;
}
