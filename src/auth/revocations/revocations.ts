import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HubError } from '../../access/hub.errors.js';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import type { Caller } from '../../access/caller.js';
import type { Revocation } from '../../access/token-revocations.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { believedNow, steadyNow } from '../../shared/time/steady-clock.js';
import { nameOf, partsOf } from '../../storage/state/revocation-name.js';
import { type Revoked, SharedState } from '../../storage/state/shared-state.js';
import { AUTH_OPTIONS, type AuthOptions } from '../settings/auth.options.js';

const MAX_REVOCATIONS = 100_000;

/** Milliseconds between two reads of what other processes have revoked. */
const INTERVAL = 1_000;

/** Milliseconds between two looks for what is over. */
const SWEEP = 60_000;

/** Milliseconds to which the end of a revocation is rounded up, so that the same one, made again, has the same name. */
const ROUND = 3_600_000;

/** A revocation, among those with the same criteria. */
interface Held {
  readonly name: string;
  /** Tokens that were issued before are revoked. */
  readonly limit: number;
  /** When no token can be meant any more. */
  readonly until: number;
}

/**
 * The revocations of all processes of the hub. Every request with a token is checked against them, so they are all in
 * memory, and found by hash. Streams that were opened with a revoked token end, also those that open later.
 */
@Injectable()
export class Revocations implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger(Revocations.name);
  private readonly trouble = new RecurringTrouble(this.logger, 'reading the revocations of other processes');
  /** By a revocation's name (see `nameOf`): the time of issue before which tokens are revoked. */
  private readonly limits = new Map<string, number>();
  /** The same by what tokens have in common: the name without an end. */
  private readonly held = new Map<string, readonly Held[]>();
  private sweptAt = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private following: Promise<void> | undefined;

  constructor(
    private readonly state: SharedState,
    private readonly streams: StreamRegistry,
    @Inject(AUTH_OPTIONS) private readonly options: Pick<AuthOptions, 'legacy' | 'maxTokenAge'>,
  ) {
    streams.addBar(({ caller }) => (this.revokes(caller) ? 'revoked' : undefined));
  }

  /** Loads the revocations before any client is let in. */
  async onModuleInit(): Promise<void> {
    this.take(await this.state.revocations(this.limits));
    this.timer = setInterval(() => void (this.following ??= this.follow()), INTERVAL).unref();
  }

  /** Until then streams are open, which may have to end. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.following;
  }

  /**
   * Resolves when the revocation is stored for all processes, with the number of streams that this process has ended.
   * Earlier revocations stay in force.
   * @throws {HubError} `revocations-too-many`: dropping an older one would let somebody in again.
   * @throws {JournalUnavailableError} when the revocation can't be stored, or it is unknown whether it was.
   */
  async add({ tokenId, issuer, subject, issuedBefore = Infinity, expiresAt }: Revocation): Promise<number> {
    const criteria = { tokenId, issuer, subject };
    // No token is good for longer than that, whoever has issued it; but those of 0.x may say nothing of their time.
    const { legacy, maxTokenAge } = this.options;
    const latest = Math.max(Date.now(), steadyNow());
    const until = expiresAt ?? (legacy ? Infinity : Math.ceil((latest + maxTokenAge) / ROUND) * ROUND);
    const name = nameOf(criteria, until);
    // The revocation that means every token always has room.
    if (!this.limits.has(name) && nameOf(criteria) !== EVERYBODY && this.limits.size >= MAX_REVOCATIONS) {
      throw new HubError('revocations-too-many', 'Too many tokens are revoked: revoke by issued_before instead.');
    }
    await this.state.revoke([name, issuedBefore]);
    return this.take([[name, issuedBefore]]);
  }

  revokes({ tokenId, issuer, subject, issuedAt = 0 }: Caller): boolean {
    if (this.held.size === 0) return false;
    const now = believedNow();
    return namesOf(tokenId, issuer, subject).some((name) =>
      this.held.get(name)?.some(({ limit, until }) => issuedAt < limit && now < until),
    );
  }

  private async follow(): Promise<void> {
    try {
      const disconnected = this.take(await this.state.revocations(this.limits));
      if (disconnected > 0) this.logger.log({ msg: 'streams of revoked tokens ended', disconnected });
      await this.sweep();
      this.trouble.isOver();
    } catch (error) {
      if (!(error instanceof JournalUnavailableError)) this.trouble.has(error);
    } finally {
      this.following = undefined;
    }
  }

  /** Applies revocations, and returns the number of streams that they have ended. */
  private take(revoked: readonly Revoked[]): number {
    if (revoked.length === 0) return 0;
    for (const [name, limit] of revoked) this.hold(name, Math.max(limit, this.limits.get(name) ?? -Infinity));
    return this.streams.endWhere(({ info }) => this.revokes(info.caller), 'revoked');
  }
  private hold(name: string, limit: number): void {
    const { criteria, until } = partsOf(name);
    this.limits.set(name, limit);
    if (!criteria) return;
    const key = nameOf(criteria);
    const others = (this.held.get(key) ?? []).filter((one) => one.name !== name);
    this.held.set(key, [...others, { name, limit, until }]);
  }

  /** Lets go of what is over, here and where it is kept. */
  private async sweep(): Promise<void> {
    const elapsed = performance.now();
    if (elapsed - this.sweptAt < SWEEP) return;
    this.sweptAt = elapsed;
    // A leap of the clock must not let anybody in again.
    const now = believedNow();
    const over = [...this.limits.keys()].filter((name) => partsOf(name).until <= now);
    for (const name of over) this.letGo(name);
    await this.state.forgetRevoked(over);
  }

  private letGo(name: string): void {
    this.limits.delete(name);
    const key = nameOf(partsOf(name).criteria ?? {});
    const others = (this.held.get(key) ?? []).filter((one) => one.name !== name);
    if (others.length > 0) this.held.set(key, others);
    else this.held.delete(key);
  }
}

/** The names of all revocations that would mean a caller's token, without their ends. */
function namesOf(tokenId?: string, issuer?: string, subject?: string): string[] {
  const tokenIds = tokenId === undefined ? [undefined] : [undefined, tokenId];
  const issuers = issuer === undefined ? [undefined] : [undefined, issuer];
  const subjects = subject === undefined ? [undefined] : [undefined, subject];
  return tokenIds.flatMap((one) =>
    issuers.flatMap((other) => subjects.map((third) => nameOf({ tokenId: one, issuer: other, subject: third }))),
  );
}

const EVERYBODY = nameOf({});
