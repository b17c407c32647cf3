/** How far back purges of single updates are remembered: no reader is so far behind. */
const REMEMBERED = 1_000;

/** What was published on one topic: its updates are numbered from 1, in the order of the log. */
class Account {
  /** The number of the newest update that a publisher has begun to send. */
  begun = 0;
  /** The number of the newest one that the hub has stored. */
  stored = 0;
  /** Everything up to this number may have been taken out. */
  purged = 0;
  /** How many purges of the whole topic are under way. */
  purges = 0;
  readonly purgedOnes = new Set<number>();

  mayMiss(number: number): boolean {
    return this.purges > 0 || number <= this.purged || this.purgedOnes.has(number);
  }
}

/**
 * What was published and taken out again, by topic. An update may be missed as soon as somebody has begun to take it out;
 * every other one that was stored must reach whoever follows its topic.
 */
export class Ledger {
  private readonly accounts = new Map<string, Account>();

  begunOn(topic: string): number {
    return this.accounts.get(topic)?.begun ?? 0;
  }

  storedOn(topic: string): number {
    return this.accounts.get(topic)?.stored ?? 0;
  }

  /** The number of the next update. One is published after the other, so that their order is known. */
  begin(topic: string): number {
    const account = this.accountOf(topic);
    account.begun = account.stored + 1;
    return account.begun;
  }

  /** The update that was begun last is in the log. */
  store(topic: string): void {
    const account = this.accountOf(topic);
    account.stored = account.begun;
  }

  /** Runs what takes all updates with a topic out. */
  async purge(topic: string, act: () => Promise<void>): Promise<void> {
    const account = this.accountOf(topic);
    account.purges += 1;
    try {
      await act();
    } finally {
      account.purges -= 1;
      account.purged = account.begun;
    }
  }

  /** One update is about to be taken out. */
  purgeOne(topic: string, number: number): void {
    const { purgedOnes } = this.accountOf(topic);
    purgedOnes.add(number);
    for (const one of purgedOnes) if (one < number - REMEMBERED) purgedOnes.delete(one);
  }

  /** The first update after `after` and before `before` that nobody may miss. */
  firstMissing(topic: string, after: number, before: number): number | undefined {
    const account = this.accountOf(topic);
    for (let number = Math.max(after, account.purged) + 1; number < before; number += 1) {
      if (!account.mayMiss(number)) return number;
    }
    return undefined;
  }

  /** Nobody follows the topic any more, and nothing is published on it. */
  forget(topic: string): void {
    this.accounts.delete(topic);
  }

  private accountOf(topic: string): Account {
    let account = this.accounts.get(topic);
    if (!account) this.accounts.set(topic, (account = new Account()));
    return account;
  }
}
