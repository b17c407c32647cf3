/** Many readers that are let go of together. */
export class Crowd<Member extends AsyncDisposable> implements AsyncDisposable {
  private readonly coming: Promise<Member>[] = [];

  /** Takes on one that is still connecting. */
  add(member: Promise<Member>): Promise<Member> {
    // Whoever waits for it hears of a failure; that nobody waits yet is no reason to end the tests.
    member.catch(() => undefined);
    this.coming.push(member);
    return member;
  }

  /** Takes on `count` at once, and resolves when all have come. */
  async join(count: number, come: (index: number) => Promise<Member>): Promise<Member[]> {
    return Promise.all(Array.from({ length: count }, (_, index) => this.add(come(index))));
  }

  /** All who have been taken on, once they have come. */
  all(): Promise<Member[]> {
    return Promise.all(this.coming);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const result of await Promise.allSettled(this.coming)) {
      if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]();
    }
  }
}
