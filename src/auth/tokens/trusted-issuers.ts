import { isDeepStrictEqual } from 'node:util';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type IssuerConfig, type KeySetConfig, keysOf } from '../../config/keys/issuers.js';
import type { VerificationKey } from '../../config/keys/keys.js';
import { type Role, ROLES } from '../../shared/role.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';
import { KeySet } from './key-set.js';
import { KnownKey } from './known-key.js';

/** Milliseconds between two looks at whether a key set is still fresh. */
const LOOK_EVERY = 1_000;

/** A key of one role, and what hangs on it. */
interface TrustedKey extends VerificationKey {
  readonly known: KnownKey;
}

function trustedKey({ key, algorithm }: VerificationKey): TrustedKey {
  return { key, algorithm, known: new KnownKey() };
}

export interface TrustedIssuer extends Pick<IssuerConfig, 'issuer'> {
  readonly keys: Readonly<Record<Role, readonly TrustedKey[]>>;
  readonly set: KeySet | undefined;
}

/** Which keys have come and gone, as `issuer role`, and `issuer set` for a set that has another source or other uses. */
export interface KeyChanges {
  readonly come: readonly string[];
  readonly gone: readonly string[];
}

/**
 * The issuers whose tokens are accepted, as they are now: keys come and go while the service runs. A key counts as the same
 * one as long as its issuer, role, algorithm and bytes are.
 */
@Injectable()
export class TrustedIssuers implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(TrustedIssuers.name);
  private readonly listeners: (() => void)[] = [];
  private current: readonly TrustedIssuer[];
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(AUTH_OPTIONS) { issuers }: Pick<AuthOptions, 'issuers'>) {
    this.current = issuers.map((issuer) => this.trust(issuer, undefined));
  }

  get all(): readonly TrustedIssuer[] {
    return this.current;
  }

  /** Whether any token is good for this role. */
  hasKeysFor(role: Role): boolean {
    return this.current.some(({ keys, set }) => keys[role].length > 0 || set?.config.roles.includes(role));
  }

  onModuleInit(): void {
    this.timer = setInterval(() => this.look(), LOOK_EVERY).unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Calls `listener` whenever the keys are not the same any more: what was found out with them has to be asked anew. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /**
   * Trusts these issuers in place of the ones before, and reads their key sets again.
   * @throws {HubError} `keys-unavailable` where a set that is new can't be read: everything stays as it was then.
   */
  async replace(issuers: readonly IssuerConfig[]): Promise<KeyChanges> {
    const before = this.current;
    const after = issuers.map((given) => this.trust(given, issuerIn(before, given.issuer)));
    const known = new Set(before.map(({ set }) => set));
    const sets = after.flatMap(({ set }) => set ?? []);
    await Promise.all(sets.map((set) => (known.has(set) ? set.reread() : set.readFirst())));
    this.current = after;
    for (const old of before) leave(old, issuerIn(after, old.issuer));
    this.tell();
    return { come: missingIn(before, after), gone: missingIn(after, before) };
  }

  /** The issuer with the keys, and the set, that it has had before where they are the same. */
  private trust(given: IssuerConfig, before: TrustedIssuer | undefined): TrustedIssuer {
    const { issuer, keySet } = given;
    const trusted = (role: Role): TrustedKey[] =>
      keysOf(given, role).map((key) => before?.keys[role].find((other) => isSame(other, key)) ?? trustedKey(key));
    const keys = { publisher: trusted('publisher'), subscriber: trusted('subscriber'), admin: trusted('admin') };
    const isSameSet = before?.set && isDeepStrictEqual(before.set.config, keySet);
    return { issuer, keys, set: isSameSet ? before.set : keySet && this.newSet(keySet) };
  }

  private newSet(config: KeySetConfig): KeySet {
    const set = new KeySet(config);
    set.onChange(() => this.tell());
    return set;
  }

  private look(): void {
    for (const { set } of this.current) set?.refresh();
  }

  private tell(): void {
    for (const listener of this.listeners) {
      try {
        listener();
      } catch (error) {
        this.logger.error({
          msg: 'not everything that hangs on a key has been told that the keys have changed',
          err: error,
        });
      }
    }
  }
}

function issuerIn(issuers: readonly TrustedIssuer[], name: string): TrustedIssuer | undefined {
  return issuers.find(({ issuer }) => issuer === name);
}

function isSame(one: VerificationKey, other: VerificationKey): boolean {
  return one.algorithm === other.algorithm && one.key.equals(other.key);
}

/** Lets go of the keys that an issuer has no more. */
function leave(old: TrustedIssuer, now: TrustedIssuer | undefined): void {
  for (const role of ROLES) {
    for (const key of old.keys[role]) if (!now?.keys[role].includes(key)) key.known.leave();
  }
  if (old.set !== now?.set) old.set?.leave(now?.set);
}

/** What of `these` is not in `those`. */
function missingIn(those: readonly TrustedIssuer[], these: readonly TrustedIssuer[]): string[] {
  return these.flatMap(({ issuer, keys, set }) => {
    const other = issuerIn(those, issuer);
    const roles = ROLES.filter((role) => keys[role].some((key) => !other?.keys[role].includes(key)));
    return [...roles, ...(set && set !== other?.set ? ['set'] : [])].map((what) => `${issuer} ${what}`);
  });
}
