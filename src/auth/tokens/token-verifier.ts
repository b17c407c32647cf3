import type { KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTVerifyOptions,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import { LRUCache } from 'lru-cache';
import type { Role } from '../../shared/role.js';
import type { Claims } from '../../access/caller.js';
import { type Grants, ownGrants } from '../../access/grants.js';
import { HubError } from '../../access/hub.errors.js';
import type { DialectTokens } from '../../hub/protocol/dialect.js';
import { isOfOtherDialect } from '../../hub/service/dialects.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';
import type { KnownKey } from './known-key.js';
import { RefusedAudiences } from './refused-audiences.js';
import { grantsInSteps } from './token-grants.js';
import { type TrustedIssuer, TrustedIssuers } from './trusted-issuers.js';
import { Background } from '../../shared/background.js';
import { believedNow } from '../../shared/time/steady-clock.js';

/** Tokens that are remembered once they have been verified, and bytes of them with what they grant. */
export const REMEMBERED = { max: 1_000, maxSize: 32 * 1024 ** 2 };

/** About how many bytes a token takes besides what it grants, and for each of its characters. */
const SIZE = { itself: 2_048, character: 4 };

/** What a token is verified for. */
export interface Purpose {
  readonly role: Role;
  /** What its `aud` must name. */
  readonly resource: string;
  /** Which tokens are accepted besides those of RFC 9068. */
  readonly others?: DialectTokens | undefined;
}

interface Verified {
  readonly grants: Grants;
  /** When the token ends: milliseconds since the epoch. */
  readonly until: number;
}

interface VerifiedFor extends Verified, Purpose {}

interface Remembered {
  /** The whole of it: it is looked up by its end. */
  readonly token: string;
  readonly purposes: readonly VerifiedFor[];
}

/**
 * Characters at the end of a token that it is looked up by: 192 bits of its signature, which no two tokens share. Looking it
 * up by all of its characters took a fortieth of a publication's CPU time.
 */
const TAIL = 32;

/** For how many purposes one token is remembered at once: each role in each dialect, at one hub. */
const PURPOSES = 6;

type Key = CryptoKey | KeyObject | Uint8Array;

/** A key that a token may be signed with, and with which algorithms (R52). */
interface Candidate {
  readonly key: Key;
  readonly algorithms: readonly string[];
  readonly known: KnownKey;
}

/** What a token says, and the key that has verified it. */
interface Signed {
  readonly claims: Claims;
  readonly known: KnownKey;
}

/**
 * The only place that reads a token (RFC 9068, RFC 8725; R51–R54). A valid token is verified once and remembered until
 * it expires, because verifying took more than half of a publication's CPU time, and a detour through another thread.
 */
@Injectable()
export class TokenVerifier {
  private readonly background = new Background();
  private readonly refusedAudiences = new RefusedAudiences();
  private readonly verified = new LRUCache<string, Remembered>({
    ...REMEMBERED,
    sizeCalculation: sizeOf,
  });
  /** How often the keys were not the same any more. */
  private keysChanged = 0;

  constructor(
    @Inject(AUTH_OPTIONS) private readonly options: AuthOptions,
    private readonly issuers: TrustedIssuers,
  ) {
    // Also what is still good is forgotten, because a key may have other uses than before.
    issuers.onChange(() => {
      this.keysChanged += 1;
      this.verified.clear();
    });
  }

  /** Whether a token names one of the issuers, or may be one of another dialect, which need name none. */
  concerns(token: string): boolean {
    try {
      const { iss } = decodeJwt(token);
      return (
        this.issuers.all.some(({ issuer }) => issuer === iss) || (this.options.legacy && this.issuers.all.length > 0)
      );
    } catch {
      return false;
    }
  }

  /**
   * What a token allows: at once where that is remembered.
   * @throws {HubError} `token-invalid`, which says what check failed; `keys-unavailable`
   */
  verify(token: string, purpose: Purpose): Grants | Promise<Grants> {
    const known = this.purposesOf(token).find((one) => isSame(one, purpose));
    if (known && known.until > believedNow()) return known.grants;
    return this.verifyAndRemember(token, purpose);
  }

  /** What the token is known to be good for. */
  private purposesOf(token: string): readonly VerifiedFor[] {
    const known = this.verified.get(token.slice(-TAIL));
    // Only a token with the same signature, which is all that is secret of it, comes to be compared.
    return known?.token === token ? known.purposes : [];
  }

  private async verifyAndRemember(token: string, purpose: Purpose): Promise<Grants> {
    const { keysChanged } = this;
    const verified = await this.verifyAnew(token, purpose);
    if (keysChanged !== this.keysChanged) return verified.grants;
    const others = this.purposesOf(token).filter((one) => !isSame(one, purpose));
    const purposes = [{ ...purpose, ...verified }, ...others].slice(0, PURPOSES);
    this.verified.set(token.slice(-TAIL), { token, purposes });
    return verified.grants;
  }

  private async verifyAnew(token: string, purpose: Purpose): Promise<Verified> {
    try {
      const claims = decodeJwt(token);
      return purpose.others?.isOurs(claims, headerOf(token).typ)
        ? await this.verifyOther(token, claims, purpose.role, purpose.others)
        : await this.verifyCurrent(token, claims, purpose);
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      const isForOthers = error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud';
      const reason = isForOthers ? this.reasonOfAudience(error, purpose) : reasonOf(error);
      throw new HubError('token-invalid', `The token is not valid: ${reason}.`);
    }
  }

  /** What the audience must be is no secret: the metadata has it. What a client calls the hub is not repeated. */
  private reasonOfAudience({ payload }: errors.JWTClaimValidationFailed, { resource }: Purpose): string {
    this.refusedAudiences.tell(resource, payload.iss);
    const isConfigured = this.options.resource !== undefined;
    const expected = isConfigured ? resource : 'the URL that the request came to, because HERALD_RESOURCE is not set';
    return `its audience does not name this hub, which is ${expected}`;
  }

  private async verifyCurrent(token: string, given: Claims, { role, resource }: Purpose): Promise<Verified> {
    if (isOfOtherDialect(given)) throw this.misplaced();
    const issuer = this.issuers.all.find((trusted) => trusted.issuer === given.iss);
    if (!issuer) throw new HubError('token-invalid', 'The token is not valid: its issuer is not one that is trusted.');
    const { claims, known } = await verifyWithAny(token, await candidatesOf(issuer, role, token), {
      typ: 'at+jwt',
      issuer: issuer.issuer,
      audience: resource,
      requiredClaims: ['exp'],
    });
    const steps = grantsInSteps(limitAge(claims, this.options.maxTokenAge), this.options.hubUrl);
    return remember(await this.inTurns(steps), known);
  }

  /**
   * Verifies a token of another dialect. It has no `typ` and `aud`, and its `exp` is checked if present. Its `iss` says
   * whose keys it is signed with where that is known, and nothing otherwise.
   */
  private async verifyOther(token: string, { iss }: Claims, role: Role, others: DialectTokens): Promise<Verified> {
    const named = this.issuers.all.filter(({ issuer }) => issuer === iss);
    const issuers = named.length > 0 ? named : this.issuers.all;
    const candidates = await Promise.all(issuers.map((issuer) => candidatesOf(issuer, role, token)));
    const { claims, known } = await verifyWithAny(token, candidates.flat(), {});
    const steps = others.grantsInSteps(limitAge(claims, this.options.maxTokenAge), this.options.hubUrl);
    return remember(await this.inTurns(steps), known);
  }

  /** Without patterns the first step is the only one, and nobody has to wait for a turn. */
  private async inTurns(steps: Generator<void, Grants>): Promise<Grants> {
    const first = steps.next();
    return first.done ? first.value : this.background.run(steps);
  }

  /** What is wrong with a token of another dialect where only the current one's are accepted. */
  private misplaced(): HubError {
    return new HubError(
      'token-invalid',
      this.options.legacy
        ? 'The token is one of Mercure 0.x, which counts for requests of that dialect only: give topics as "topic".'
        : 'The token is one of Mercure 0.x, which this hub does not accept: set HERALD_LEGACY=true to have it do so.',
    );
  }
}

function isSame(one: Purpose, other: Purpose): boolean {
  return (
    one.role === other.role &&
    one.resource === other.resource &&
    (one.others === undefined) === (other.others === undefined)
  );
}

function sizeOf({ token, purposes }: Remembered): number {
  return purposes.reduce(
    (size, { resource, grants }) => size + SIZE.itself + SIZE.character * resource.length + (grants.weight ?? 0),
    SIZE.character * token.length,
  );
}

/** The keys of this issuer, and no other's, that a token for this role may be signed with. */
async function candidatesOf({ keys, set }: TrustedIssuer, role: Role, token: string): Promise<Candidate[]> {
  const candidates = keys[role].map(({ key, algorithm, known }): Candidate => ({
    key,
    algorithms: [algorithm],
    known,
  }));
  const header = headerOf(token);
  if (!set?.config.roles.includes(role) || !header.alg) return candidates;
  const { algorithms } = set.config;
  if (!algorithms.includes(header.alg)) return candidates;
  const found = await set.keysFor({ ...header, alg: header.alg });
  return [...candidates, ...found.map((key) => ({ key, algorithms, known: set.knownOf(key) }))];
}

/** The token's header. jose throws no `JOSEError` for one that can't be read, so this function does. */
function headerOf(token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw new errors.JWTInvalid('the header can not be read', { cause });
  }
}

/** The claims, if one of the keys verifies the signature, and is still trusted by then. */
async function verifyWithAny(
  token: string,
  candidates: readonly Candidate[],
  checks: JWTVerifyOptions,
): Promise<Signed> {
  const options = { ...checks, currentDate: new Date(believedNow()) };
  let failure: unknown = new errors.JWSSignatureVerificationFailed();
  for (const { key, algorithms, known } of candidates) {
    try {
      // One after the other: there is more than one key only while keys are rotated.
      // oxlint-disable-next-line no-await-in-loop -- see above
      const { payload } = await jwtVerify(token, key, { ...options, algorithms: [...algorithms] });
      if (!known.isGone) return { claims: payload, known };
    } catch (error) {
      failure = error;
      if (!isAboutKey(error)) break;
    }
  }
  throw failure;
}

/** Whether the token may still be verified with another key. */
function isAboutKey(error: unknown): boolean {
  return error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed;
}

/**
 * The claims with an end that is no later than a token of its age may have: a revocation is kept only for as long. A
 * token that does not say when it was issued may end that long from now.
 * @param most in milliseconds.
 * @throws {HubError} `token-invalid` for a token that is too old already, or that ends too late.
 */
function limitAge(claims: Claims, most: number): Claims {
  const now = believedNow();
  const { iat, exp } = claims;
  if (typeof iat !== 'number') {
    if (typeof exp === 'number' && exp * 1_000 > now + most) throw tooOld();
    return claims;
  }
  const end = iat * 1_000 + most;
  if (end <= now) throw tooOld();
  return { ...claims, exp: Math.min(typeof exp === 'number' ? exp : Infinity, Math.floor(end / 1_000)) };
}

function tooOld(): HubError {
  return new HubError('token-invalid', 'The token is not valid: it is good for longer than this hub allows.');
}

function remember(grants: Grants, signedWith: KnownKey): Verified {
  return { grants: ownGrants({ ...grants, signedWith }), until: grants.expiresAt ?? Infinity };
}

/** Why verification failed, for the answer: names the check that failed, and nothing of the token or the key. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return CLAIM_REASONS[error.claim] ?? 'a claim is not as it must be';
  return REASONS[error.code] ?? 'it can not be read or verified';
}

const CLAIM_REASONS: Readonly<Record<string, string>> = {
  typ: 'its type must be at+jwt',
  iss: 'its issuer is not one that is trusted',
  exp: 'it must have an expiry',
  nbf: 'it is not valid yet',
  iat: 'its time of issue is not a time',
};

const REASONS: Readonly<Record<string, string>> = {
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'its signature does not verify',
  ERR_JOSE_ALG_NOT_ALLOWED: 'its algorithm is not allowed',
  ERR_JOSE_NOT_SUPPORTED: 'its algorithm is not allowed',
};
