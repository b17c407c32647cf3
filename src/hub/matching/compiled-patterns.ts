import { LRUCache } from 'lru-cache';

/** What compiled patterns take, whoever uses them. Bytes. */
export const COMPILED_BYTES = 32 * 1024 ** 2;

/** A compiled pattern. */
interface Compiled {
  /** About how many bytes it takes. */
  readonly bytes: number;
}

/**
 * Patterns that have been compiled: each is compiled once, and shared by all who use it. Those that were used last are
 * kept, as many as fit into a number of bytes; the others go with their last user.
 */
export class CompiledPatterns<Pattern extends Compiled> {
  private readonly kept: LRUCache<string, Pattern>;
  private readonly used = new Map<string, WeakRef<Pattern>>();
  private readonly gone = new FinalizationRegistry<string>((key) => {
    // The same pattern may have been compiled again before its first copy was collected.
    if (!this.used.get(key)?.deref()) this.used.delete(key);
  });

  constructor(limit = COMPILED_BYTES) {
    this.kept = new LRUCache({ maxSize: limit, sizeCalculation: ({ bytes }, key) => bytes + 2 * key.length });
  }

  /** How many are held, be it here or by somebody who uses them. */
  get count(): number {
    return this.used.size;
  }

  /** The pattern with this key, which is compiled if nobody has it. Throws what `compile` throws. */
  of(key: string, compile: () => Pattern): Pattern {
    const known = this.kept.get(key) ?? this.used.get(key)?.deref();
    const pattern = known ?? compile();
    this.kept.set(key, pattern);
    if (known) return pattern;
    this.used.set(key, new WeakRef(pattern));
    this.gone.register(pattern, key);
    return pattern;
  }
}
