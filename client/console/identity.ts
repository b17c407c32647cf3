/** What a token is for: the hub has a key of its own for each. */
export type Role = 'read' | 'publish' | 'admin';

/** The tokens by which the hub knows this page. They are kept in memory alone. */
export interface Identity {
  /** For reading. Without it the reader is anonymous. */
  readonly token?: string;
  /** For publishing, where that takes another token. */
  readonly publishToken?: string;
  /** For administration, where that takes another token. */
  readonly adminToken?: string;
  /**
   * Asks for all tokens anew, where the service itself gives them. Undefined where it gives none any more.
   * @throws TypeError when the service can't be reached.
   */
  readonly renew?: () => Promise<Identity | undefined>;
}

/** The token for a role; undefined where there is none. */
export function tokenFor(role: Role, { token, publishToken, adminToken }: Identity): string | undefined {
  return { read: token, publish: publishToken ?? token, admin: adminToken ?? token }[role];
}

/** Tells readers apart: what one of them has read may not be for another one. */
export function readerOf({ token = '', renew }: Identity): string {
  return renew ? 'developer' : `token ${token}`;
}

/** Somebody's tokens, which are renewed where that is possible. */
export class Credentials {
  private renewing: Promise<void> | undefined;

  /** @param onRenewed called with the new tokens. */
  constructor(
    private identity: Identity,
    private readonly onRenewed: (identity: Identity) => void,
  ) {}

  /** Whether there is a token for this role. */
  has(role: Role): boolean {
    return tokenFor(role, this.identity) !== undefined;
  }

  /** The token for a role, asked for anew if the last one `isSpent`: refused, or expired. */
  async give(role: Role, isSpent = false): Promise<string> {
    if (isSpent) await this.renew();
    return tokenFor(role, this.identity) ?? '';
  }

  get isRenewable(): boolean {
    return this.identity.renew !== undefined;
  }

  /** All who find a token spent at the same time wait for the same answer. */
  private renew(): Promise<void> {
    this.renewing ??= this.askAnew().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private async askAnew(): Promise<void> {
    const renewed = await this.identity.renew?.();
    if (!renewed) return;
    this.identity = renewed;
    this.onRenewed(renewed);
  }
}
