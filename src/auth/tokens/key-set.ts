import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Logger } from '@nestjs/common';
import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import type { KeySetConfig } from '../../config/keys/issuers.js';
import { HubError } from '../../access/hub.errors.js';
import { readAtMost } from '../../shared/http/read-at-most.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { identityOf, identityOfJwk } from './key-identity.js';
import { KnownKey } from './known-key.js';

/**
 * Milliseconds for which a set counts as fresh. A file is read more often, because that costs next to nothing: with the
 * second that may pass before somebody looks, a key that has left it is gone after five.
 */
const FRESH = { uri: 600_000, file: 4_000 };

/**
 * Milliseconds between two attempts, so that tokens with made-up key ids can't cause a request each. Whoever brings an
 * unknown key waits for the next one: it may be new.
 */
const PAUSE = 1_000;

/** The same after an attempt that failed. Nobody waits for so long. */
const PAUSE_AFTER_FAILURE = { uri: 30_000, file: 1_000 };

const TIMEOUT = 5_000;
const MAX_BYTES = 512 * 1024;
const MAX_KEYS = 100;

/** RSA keys with fewer bits are not used (RFC 7518, 3.3). */
const SMALLEST_RSA_BITS = 2048;

type Keys = readonly CryptoKey[];

/** The clock in milliseconds, which tests replace. */
interface Clock {
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
}

const REAL: Clock = {
  now: () => performance.now(),
  wait: (milliseconds) => delay(milliseconds, undefined, { ref: false }),
};

/**
 * A set of public keys that may change while the service runs (RFC 7517). It is read again when it is no longer fresh,
 * or when a token names an unknown key. While its source is unavailable, the known keys stay valid.
 */
export class KeySet {
  private readonly trouble: RecurringTrouble;
  private readonly kind: 'uri' | 'file';
  private readonly load: () => Promise<string>;
  /** What the keys were read from. */
  private text: string | undefined;
  /** The keys of the set, by what they are known by. */
  private identities: ReadonlySet<string> = new Set();
  /** Those of them that have verified tokens. */
  private readonly known = new Map<string, KnownKey>();
  private changed = (): void => undefined;
  private isOver = false;
  private find: ReturnType<typeof createLocalJWKSet> | undefined;
  private loadedAt = -Infinity;
  private triedAt = -Infinity;
  private hasFailed = false;
  /** The attempt that is under way. */
  private current: Promise<void> | undefined;
  /** The attempt that comes next, for those who come before it begins. */
  private next: Promise<void> | undefined;

  constructor(
    readonly config: KeySetConfig,
    private readonly clock = REAL,
  ) {
    const { uri, file = '' } = config;
    // Without the query, which may hold a secret.
    const source = uri?.split('?', 1)[0] ?? file;
    const what = `reading the key set at ${source}`;
    this.trouble = new RecurringTrouble(new Logger(KeySet.name), what, { level: 'warn' });
    this.kind = uri ? 'uri' : 'file';
    this.load = () => loadText(config);
  }

  /**
   * The keys that a token with this header may be signed with.
   * @throws {HubError} `keys-unavailable` when no set could be read yet, or the key is unknown and the set can't be read
   */
  async keysFor(header: JWSHeaderParameters): Promise<Keys> {
    if (!this.find) await (this.current ?? this.readAgain());
    // Not awaited, because the keys that are there serve this token.
    else this.refresh();
    // This attempt may bring a newer set while the key is being looked up in the older one.
    const { current } = this;
    const keys = await this.lookUp(header);
    if (keys.length > 0) return keys;
    return (await this.after(current, header)) ?? this.afterNext(header);
  }

  /** Calls `listener` whenever the keys are not the same any more. */
  onChange(listener: () => void): void {
    this.changed = listener;
  }

  /** What hangs on this key, which {@link keysFor} has given. It is gone already where the set has changed since. */
  knownOf(key: CryptoKey): KnownKey {
    const identity = identityOf(key);
    const known = this.known.get(identity) ?? new KnownKey();
    if (this.identities.has(identity)) this.known.set(identity, known);
    else known.leave();
    return known;
  }

  /** Has the set read again where it was read before, and is not fresh any more. */
  refresh(): void {
    const isStale = this.find !== undefined && this.clock.now() - this.loadedAt > FRESH[this.kind];
    if (isStale && !this.next && !this.current) this.readAgain().catch(() => undefined);
  }

  /** Reads the set again if it was ever read. Where that fails, the log says so, and the known keys stay. */
  async reread(): Promise<void> {
    // Whoever asks for this is no stranger, and does not wait for a pause to end.
    this.hasFailed = false;
    this.triedAt = -Infinity;
    if (this.find) await this.readAgain().catch(() => undefined);
  }

  /** @throws {HubError} `keys-unavailable` when the set can't be read. */
  readFirst(): Promise<void> {
    return this.readAgain();
  }

  /**
   * This set is not used any more. What hangs on its keys goes over to another one that has them, and lets them do the same,
   * and is gone otherwise.
   */
  leave(other: KeySet | undefined): void {
    for (const [identity, known] of this.known) {
      if (other?.identities.has(identity) && other.doesSame(this)) other.known.set(identity, known);
      else known.leave();
    }
    this.isOver = true;
    this.known.clear();
    this.identities = new Set();
  }

  private doesSame({ config }: KeySet): boolean {
    const { algorithms, roles } = this.config;
    return isDeepStrictEqual([algorithms, roles], [config.algorithms, config.roles]);
  }

  /** What an attempt that was under way brings for this header, if anything. */
  private async after(attempt: Promise<void> | undefined, header: JWSHeaderParameters): Promise<Keys | undefined> {
    if (!attempt) return undefined;
    await attempt.catch(() => undefined);
    const keys = await this.lookUp(header);
    return keys.length > 0 ? keys : undefined;
  }

  private async afterNext(header: JWSHeaderParameters): Promise<Keys> {
    await this.readAgain();
    return this.lookUp(header);
  }

  /** Resolves once the set has been read by an attempt that began after this call. */
  private readAgain(): Promise<void> {
    const isPausing = this.clock.now() - this.triedAt < PAUSE_AFTER_FAILURE[this.kind];
    if (this.hasFailed && isPausing) return Promise.reject(unavailable());
    this.next ??= this.readNext();
    return this.next;
  }

  private async readNext(): Promise<void> {
    await this.current?.catch(() => undefined);
    const pause = this.triedAt + PAUSE - this.clock.now();
    if (pause > 0) await this.clock.wait(pause);
    this.next = undefined;
    this.triedAt = this.clock.now();
    this.current = this.reload().finally(() => (this.current = undefined));
    await this.current;
  }

  private async reload(): Promise<void> {
    try {
      const text = await this.load();
      if (text !== this.text && !this.isOver) this.take(text);
      this.loadedAt = this.clock.now();
      this.hasFailed = false;
      this.trouble.isOver();
    } catch (error) {
      this.hasFailed = true;
      this.trouble.has(error);
      throw unavailable();
    }
  }

  private take(text: string): void {
    const set = parseKeySet(text);
    this.find = createLocalJWKSet(set);
    this.text = text;
    this.identities = new Set(set.keys.flatMap((key) => identityOfJwk(key) ?? []));
    for (const [identity, known] of this.known) {
      if (this.identities.has(identity)) continue;
      known.leave();
      this.known.delete(identity);
    }
    this.changed();
  }

  private async lookUp(header: JWSHeaderParameters): Promise<Keys> {
    if (!this.find) return [];
    try {
      return [await this.find(header)].filter(isStrong);
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return (await collect(error)).filter(isStrong);
      // No key fits, or the one that fits is broken. Both make the token fail its verification, and nothing else.
      return [];
    }
  }
}

/**
 * How many keys a set has, for who looks whether it can be read.
 * @throws whatever is wrong with it.
 */
export async function countKeys(config: KeySetConfig): Promise<number> {
  return parseKeySet(await loadText(config)).keys.length;
}

function loadText({ uri, file = '' }: KeySetConfig): Promise<string> {
  return uri ? fetchText(uri) : readFile(file, 'utf8');
}

function unavailable(): HubError {
  return new HubError('keys-unavailable', 'The keys that tokens are verified with can not be read: try again later.');
}

function isStrong({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= SMALLEST_RSA_BITS;
}

async function collect(keys: AsyncIterable<CryptoKey>): Promise<Keys> {
  const all: CryptoKey[] = [];
  for await (const key of keys) all.push(key);
  return all;
}

/** No redirect is followed: it could lead to an address that only this machine may reach (R90). */
async function fetchText(uri: string): Promise<string> {
  const response = await fetch(uri, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT),
    headers: { accept: 'application/jwk-set+json, application/json' },
  });
  if (response.status !== 200) throw new Error(`the key set was answered with ${response.status}`);
  return readAtMost(response, MAX_BYTES);
}

/** Secrets have no place in a set of public keys, and are left out. */
function parseKeySet(text: string): JSONWebKeySet {
  if (text.length > MAX_BYTES) throw new Error(`the key set is larger than ${MAX_BYTES} bytes`);
  const { keys } = JSON.parse(text) as Partial<JSONWebKeySet>;
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new Error(`a key set has "keys", at most ${MAX_KEYS}`);
  return { keys: keys.filter((key) => key.kty !== 'oct') };
}
