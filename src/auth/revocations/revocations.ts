import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HubError } from '../../access/hub.errors.js';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import type { Caller } from '../../access/caller.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type Revoked, SharedState } from '../../storage/state/shared-state.js';

/** Revokes all tokens that have every property named here, although they have not expired. */
export interface Revocation {
  /** The token's own name (`jti`). */
  readonly tokenId?: string;
  readonly subject?: string;
  /** Milliseconds since the epoch. Only tokens issued before are revoked, and those without a time of issue. */
  readonly issuedBefore?: number;
}

const MAX_REVOCATIONS = 100_000;

/** Milliseconds between two reads of what other processes have revoked. */
const INTERVAL = 1_000;

/**
 * The revocations of all processes of the hub. Every request with a token is checked against them, so they are all in
 * memory, and found by hash. Streams that were opened with a revoked token end, also those that open later.
 */
@Injectable()
export class Revocations implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(Revocations.name);
  private readonly trouble = new RecurringTrouble(this.logger, 'reading the revocations of other processes');
  /** By a revocation's name (see `nameOf`): tokens that were issued before this time are revoked. */
  private readonly limits = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private following: Promise<void> | undefined;

  constructor(
    private readonly state: SharedState,
    private readonly streams: StreamRegistry,
  ) {
    streams.addBar(({ caller }) => (this.revokes(caller) ? 'revoked' : undefined));
  }

  /** Loads the revocations before any client is let in. */
  async onModuleInit(): Promise<void> {
    this.take(await this.state.revocations(this.limits));
    this.timer = setInterval(() => void (this.following ??= this.follow()), INTERVAL).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.following;
  }

  /**
   * Resolves when the revocation is stored for all processes, with the number of streams that this process has ended.
   * Earlier revocations stay in force.
   * @throws {HubError} `revocations-too-many`: dropping an older one would let somebody in again.
   * @throws {JournalUnavailableError} when the revocation can't be stored, or it is unknown whether it was.
   */
  async add({ tokenId, subject, issuedBefore = Infinity }: Revocation): Promise<number> {
    const name = nameOf(tokenId, subject);
    // The revocation that names neither token nor subject always has room.
    if (!this.limits.has(name) && name !== EVERYBODY && this.limits.size >= MAX_REVOCATIONS) {
      throw new HubError('revocations-too-many', 'Too many tokens are revoked: revoke by issued_before instead.');
    }
    await this.state.revoke([name, issuedBefore]);
    return this.take([[name, issuedBefore]]);
  }

  revokes({ tokenId, subject, issuedAt = 0 }: Caller): boolean {
    if (this.limits.size === 0) return false;
    const names = [EVERYBODY, nameOf(tokenId, undefined), nameOf(undefined, subject), nameOf(tokenId, subject)];
    return names.some((name) => issuedAt < (this.limits.get(name) ?? -Infinity));
  }

  private async follow(): Promise<void> {
    try {
      const disconnected = this.take(await this.state.revocations(this.limits));
      if (disconnected > 0) this.logger.log({ msg: 'streams of revoked tokens ended', disconnected });
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
    for (const [name, limit] of revoked) this.limits.set(name, Math.max(limit, this.limits.get(name) ?? -Infinity));
    return this.streams.endWhere(({ info }) => this.revokes(info.caller), 'revoked');
  }
}

/** The name of a revocation: as JSON, so that no two pairs of values share a name. */
function nameOf(tokenId: string | undefined, subject: string | undefined): string {
  return JSON.stringify({ tokenId, subject });
}

const EVERYBODY = nameOf(undefined, undefined);
