import { Inject, Injectable } from '@nestjs/common';
import { errors, jwtVerify } from 'jose';
import type { Grants } from '../hub/grants.js';
import { HubError } from '../hub/hub.errors.js';
import { AUTH_OPTIONS, type AuthOptions } from './auth.options.js';
import { grantsOf } from './token-grants.js';

/** What a token is presented for: each has a key of its own. */
export type Role = 'publisher' | 'subscriber';

/** The only place that reads a token. */
@Injectable()
export class TokenVerifier {
  private readonly keys: Readonly<Record<Role, Uint8Array>>;

  constructor(@Inject(AUTH_OPTIONS) private readonly options: AuthOptions) {
    const encoder = new TextEncoder();
    this.keys = {
      publisher: encoder.encode(options.publisherKey),
      subscriber: encoder.encode(options.subscriberKey),
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
    try {
      const { payload } = await jwtVerify(token, this.keys[role], {
        algorithms: ['HS256'],
        typ: 'at+jwt',
        requiredClaims: ['exp'],
      });
      return grantsOf(payload, this.options.hubUrl);
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
