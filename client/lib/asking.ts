import type { HeraldError } from './errors.js';
import type { Matcher } from './matcher.js';

/** Milliseconds for which a stream goes on carrying what nobody wants any more, in case somebody wants it again. */
export const LINGER = 10_000;

/**
 * What a refusal of a stream comes to: `again`, as fewer have to be asked for; `refused`, because of this one matcher;
 * `full`, because this one is too much on top of the others.
 */
export type Verdict = { readonly kind: 'again' } | { readonly kind: 'refused' | 'full'; readonly matcher: Matcher };

/**
 * Which matchers the streams of one connection ask for. The hub refuses a stream because of one bad matcher and does not
 * always say which. So those that it has not taken yet are suspects then, and are asked for by halves, on top of those
 * that it has taken:
 *
 *     all new ones ──refused──▶ half of the suspects ──refused──▶ that half are the suspects ──▶ … one: it is to blame
 *                                       └─────taken────▶ the other half are
 *
 * Where they are too many together, half as many are asked for, and then twice as many again.
 */
export class Asking {
  #wanted: ReadonlySet<Matcher> = new Set();
  /** Those that the hub has taken. */
  #taken: ReadonlySet<Matcher> = new Set();
  /** Those that the hub has refused, or has no room for on this connection. */
  readonly #refused = new Map<Matcher, HeraldError>();
  /** Until when those are carried on that nobody wants any more. */
  readonly #lingering = new Map<Matcher, number>();
  /** At least one of these is bad. */
  #suspects: ReadonlySet<Matcher> = new Set();
  /** How many new ones are asked for at once. */
  #batch = Infinity;

  /** Whether something is wanted that could be asked for. */
  get isEmpty(): boolean {
    return this.#hopeful().length === 0;
  }

  want(matchers: Iterable<Matcher>, now: number): void {
    const wanted = new Set(matchers);
    for (const one of this.#wanted)
      if (!wanted.has(one) && !this.#refused.has(one)) this.#lingering.set(one, now + LINGER);
    for (const one of wanted) this.#lingering.delete(one);
    for (const one of this.#refused.keys()) if (!wanted.has(one)) this.#refused.delete(one);
    // The bad one may be gone.
    if ([...this.#suspects].some((one) => !wanted.has(one))) this.#suspects = new Set();
    this.#wanted = wanted;
  }

  /** What the next stream is to ask for. */
  next(now: number): Matcher[] {
    for (const [one, end] of this.#lingering) if (end <= now) this.#lingering.delete(one);
    const hopeful = this.#hopeful();
    const known = [...hopeful, ...this.#lingering.keys()].filter((one) => this.#taken.has(one));
    // Those that linger are worth no question of their own.
    const fresh = hopeful.filter((one) => !this.#taken.has(one));
    const suspects = fresh.filter((one) => this.#suspects.has(one));
    if (suspects.length > 0) return [...known, ...suspects.slice(0, Math.ceil(suspects.length / 2))];
    return [...known, ...fresh.slice(0, this.#batch)];
  }

  /** Whether a stream with these has to be replaced, because it lacks something that is wanted. */
  isMissing(carried: ReadonlySet<Matcher>): boolean {
    return this.#hopeful().some((one) => !carried.has(one));
  }

  /** Whether a stream carries something that nobody wants any more. */
  hasSurplus(carried: ReadonlySet<Matcher>): boolean {
    return [...carried].some((one) => !this.#wanted.has(one));
  }

  /** The hub has opened a stream with these. */
  taken(matchers: ReadonlySet<Matcher>): void {
    this.#taken = matchers;
    this.#suspects = new Set([...this.#suspects].filter((one) => !matchers.has(one)));
    this.#batch *= 2;
    if (this.next(0).every((one) => matchers.has(one))) this.#batch = Infinity;
  }

  /** The hub has refused a stream with these because of its matchers; `isTooMuch`, because of all of them together. */
  refused(asked: readonly Matcher[], isTooMuch: boolean, error: HeraldError): Verdict {
    // What nobody wants any more makes room.
    if (isTooMuch && this.#lingering.size > 0) {
      this.#lingering.clear();
      return { kind: 'again' };
    }
    let fresh = asked.filter((one) => !this.#taken.has(one));
    if (fresh.length === 0) {
      // What was good before is refused: each is on trial again.
      this.#taken = new Set();
      fresh = [...asked];
    }
    const [matcher] = fresh;
    if (fresh.length > 1 || matcher === undefined) {
      if (isTooMuch) this.#batch = Math.ceil(fresh.length / 2);
      else this.#suspects = new Set(fresh);
      return { kind: 'again' };
    }
    this.#suspects = new Set();
    this.#refused.set(matcher, error);
    this.#lingering.delete(matcher);
    return { kind: isTooMuch && asked.length > 1 ? 'full' : 'refused', matcher };
  }

  /** Forgets all verdicts, as somebody else asks now, or is asked. */
  forgive(): void {
    this.#refused.clear();
    this.#suspects = new Set();
    this.#batch = Infinity;
  }

  /** What is wanted and could be asked for. */
  #hopeful(): Matcher[] {
    return [...this.#wanted].filter((one) => !this.#refused.has(one));
  }
}
