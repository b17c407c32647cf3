import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HubError } from '../../access/hub.errors.js';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import type { Caller } from '../../access/caller.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type Revoked, SharedState } from '../../storage/state/shared-state.js';

/** Tokens that no longer count, although they have not expired: those that have all that is named. */
export interface Revocation {
  /** The token's own name (`jti`). */
  readonly tokenId?: string;
  readonly subject?: string;
  /** Milliseconds since the epoch: tokens from this time on are good again. A token without a time of issue is older. */
  readonly issuedBefore?: number;
}

const MAX_REVOCATIONS = 100_000;

/** How soon what one process revokes is known to the others. Milliseconds. */
const INTERVAL = 1_000;

/** Who was let in just before may open a stream just after: for so many intervals streams are looked through again. */
const LOOKS = 3;

/**
 * What has been revoked, at any process of the hub. Looked at for every request that brings a token, so it's all in
 * memory, and found by hash. Streams that were opened with such a token end.
 */
@Injectable()
export class Revocations implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(Revocations.name);
  private readonly trouble = new RecurringTrouble(this.logger, 'asking what was revoked elsewhere');
  /** Up to which time of issue tokens don't count, by what they have in common. */
  private readonly limits = new Map<string, number>();
  private looks = 0;
  private timer: NodeJS.Timeout | undefined;
  private following: Promise<void> | undefined;

  constructor(
    private readonly state: SharedState,
    private readonly streams: StreamRegistry,
  ) {}

  /** Nobody is let in before it's known who is kept out. */
  async onModuleInit(): Promise<void> {
    this.take(await this.state.revocations(this.limits));
    this.timer = setInterval(() => void (this.following ??= this.follow()), INTERVAL).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.following;
  }

  /**
   * Resolves once no process of the hub will forget it, with the number of streams that this one has ended. What was
   * revoked before stays so.
   * @throws {HubError} `revocations-too-many`: dropping an older one would let somebody in again.
   * @throws {JournalUnavailableError} when it can't be stored: nothing is revoked then, or it is not known.
   */
  async add({ tokenId, subject, issuedBefore = Infinity }: Revocation): Promise<number> {
    const name = nameOf(tokenId, subject);
    // There is always room for the one that is about everybody.
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

  /** Answers with the number of streams that have ended by it. */
  private take(revoked: readonly Revoked[]): number {
    this.looks = revoked.length > 0 ? LOOKS : this.looks - 1;
    if (this.looks < 0) return 0;
    for (const [name, limit] of revoked) this.limits.set(name, Math.max(limit, this.limits.get(name) ?? -Infinity));
    return this.streams.endWhere(({ info }) => this.revokes(info.caller), 'revoked');
  }
}

/** As JSON, in which no name can be taken for another. */
function nameOf(tokenId: string | undefined, subject: string | undefined): string {
  return JSON.stringify({ tokenId, subject });
}

const EVERYBODY = nameOf(undefined, undefined);
