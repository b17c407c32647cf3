import { createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Grants } from '../hub/grants.js';
import { HubError } from '../hub/hub.errors.js';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { grantsOf } from './token-grants.js';

/** What a token is presented for: each has a key of its own. */
export type Role = 'publisher' | 'subscriber';

/** Tokens that are remembered once they have been verified. */
const REMEMBERED = 1_000;

interface Verified {
  readonly grants: Grants;
  /** Seconds since the epoch. */
  readonly expires: number;
}

/**
 * The only place that reads a token. A good one is verified once and then known until it expires: verifying
 * took more than half of a publication's CPU time, and a detour through another thread.
 */
@Injectable()
export class TokenVerifier {
  private readonly keys: Readonly<Record<Role, KeyObject>>;
  private readonly verified = new LRUCache<string, Verified>({ max: REMEMBERED });

  constructor(@Inject(AUTH_OPTIONS) private readonly options: AuthOptions) {
    this.keys = {
      publisher: createSecretKey(options.publisherKey, 'utf8'),
      subscriber: createSecretKey(options.subscriberKey, 'utf8'),
    };
  }

  /**
   * What the token in an `Authorization` header allows, or undefined where there is no header.
   * @throws {HubError} `token-malformed` or `token-invalid`.
   */
  async grantsOf(authorization: string | undefined, role: Role): Promise<Grants | undefined> {
    if (authorization === undefined) return undefined;
    const token = /^bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(authorization)?.[1];
    if (!token) throw new HubError('token-malformed', 'The Authorization header must be "Bearer" and a compact JWT.');
    const name = `${role} ${token}`;
    const known = this.verified.get(name);
    if (known && known.expires > Date.now() / 1_000) return known.grants;
    const verified = await this.verify(token, role);
    this.verified.set(name, verified);
    return verified.grants;
  }

  private async verify(token: string, role: Role): Promise<Verified> {
    try {
      const { payload } = await jwtVerify(token, this.keys[role], {
        algorithms: ['HS256'],
        typ: 'at+jwt',
        requiredClaims: ['exp'],
      });
      return { grants: grantsOf(payload, this.options.hubUrl), expires: payload.exp ?? 0 };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new HubError(
        'token-invalid',
        `The token is not valid: ${REASONS[error.code] ?? 'it can not be verified'}.`,
      );
    }
  }
}

/** What may be said of a token that failed. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'it has expired',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'its type must be at+jwt, and it must have an expiry',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature does not verify',
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not allowed',
};
