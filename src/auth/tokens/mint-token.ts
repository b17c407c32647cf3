import { type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { DETAIL_TYPE } from './token-grants.js';

/** What a token is to allow, to whom and for how long. */
export interface TokenRequest {
  readonly issuer: string;
  /** The hubs that the token is for (`aud`). */
  readonly audience: string | string[];
  readonly subject: string;
  /** Seconds. */
  readonly lifetime: number;
  readonly grants: readonly TokenGrant[];
}

export interface TokenGrant {
  readonly action: 'publish' | 'subscribe' | 'admin';
  readonly topics: readonly TokenTopic[];
  /** What others are told of the subscriber. */
  readonly payload?: object;
}

export interface TokenTopic {
  readonly match: string;
  readonly match_type?: 'exact' | 'urlpattern';
}

/** What a token is signed with: a secret or a private key. */
export interface SigningKey {
  readonly key: KeyObject;
  readonly algorithm: string;
}

/** Signs an access token of the format of RFC 9068 (R41). */
export function mintToken(request: TokenRequest, { key, algorithm }: SigningKey): Promise<string> {
  const { issuer, audience, subject, lifetime, grants } = request;
  const details = grants.map(detailOf);
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ client_id: issuer, authorization_details: details })
    .setProtectedHeader({ alg: algorithm, typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + lifetime)
    .sign(key);
}

function detailOf({ action, topics, payload }: TokenGrant): object {
  return { type: DETAIL_TYPE, actions: [action], topics, ...(payload && { payload }) };
}
