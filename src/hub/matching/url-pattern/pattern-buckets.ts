/** A pattern, compiled: for topics in the form `Topic`. */
interface CompiledPattern<Topic> {
  /** What the address of every topic that it matches starts with. */
  readonly literalPrefix: string;
  matches(topic: Topic): boolean;
}

/** What is particular to one kind of pattern. */
export interface PatternKind<Topic> {
  compile(pattern: string): CompiledPattern<Topic>;
  /** The text of a topic that literal prefixes are prefixes of. */
  addressOf(topic: Topic): string;
}

/** A pattern and the values under it. It's over once it has no values, and doesn't come back: it's made anew. */
interface PatternNode<T, Topic> {
  /** Grows with each node that is made. */
  readonly serial: number;
  readonly pattern: CompiledPattern<Topic>;
  readonly values: Set<T>;
}

/** The patterns that start with the same literal text, oldest first; those that are over leave later, many at once. */
interface Bucket<T, Topic> {
  readonly prefix: string;
  nodes: PatternNode<T, Topic>[];
  live: number;
}

/** What is known of one bucket for one topic: the nodes that match, of all up to the one with the serial `seen`. */
interface BucketHits<T, Topic> {
  nodes: PatternNode<T, Topic>[];
  seen: number;
}

/** What is known of all buckets for one topic. Kept by the caller, brought up to date by `refresh`. */
export type PatternHits<T, Topic> = Map<Bucket<T, Topic>, BucketHits<T, Topic>>;

/** Longer literal texts share a bucket, so that there are never more than so many look-ups for a topic. */
const MAX_PREFIX_LENGTH = 256;

/**
 * Patterns by the literal text that they start with. A pattern is evaluated against a topic only if the topic starts
 * with that text, and only once: what comes to a bucket later is evaluated alone, and what goes is dropped unevaluated.
 */
export class PatternBuckets<T, Topic> {
  /** How many times a pattern has been evaluated against a topic so far. */
  evaluations = 0;
  private readonly nodes = new Map<string, PatternNode<T, Topic>>();
  private readonly buckets = new Map<string, Bucket<T, Topic>>();
  /** How many buckets have a prefix of each length that occurs. */
  private readonly lengths = new Map<number, number>();
  private serial = 0;

  constructor(private readonly kind: PatternKind<Topic>) {}

  get isEmpty(): boolean {
    return this.nodes.size === 0;
  }

  /** How many hash look-ups a topic costs at most. */
  get lookups(): number {
    return this.lengths.size;
  }

  add(pattern: string, value: T): void {
    const node = this.nodes.get(pattern) ?? this.makeNode(pattern);
    node.values.add(value);
  }

  remove(pattern: string, value: T): void {
    const node = this.nodes.get(pattern);
    node?.values.delete(value);
    if (node?.values.size !== 0) return;
    this.nodes.delete(pattern);
    const bucket = this.buckets.get(prefixOf(node.pattern));
    if (bucket !== undefined) this.dropOne(bucket);
  }

  /** Brings what is known for a topic up to date, and says whether anything has changed. */
  refresh(topic: Topic, hits: PatternHits<T, Topic>): boolean {
    const address = this.kind.addressOf(topic);
    let found = 0;
    let hasChanged = false;
    for (const length of this.lengths.keys()) {
      const bucket = length > address.length ? undefined : this.buckets.get(address.slice(0, length));
      if (bucket === undefined) continue;
      found += 1;
      if (this.refreshBucket(bucket, topic, hits)) hasChanged = true;
    }
    if (found === hits.size) return hasChanged;
    for (const bucket of hits.keys()) if (bucket.live === 0) hits.delete(bucket);
    return true;
  }

  private refreshBucket(bucket: Bucket<T, Topic>, topic: Topic, hits: PatternHits<T, Topic>): boolean {
    const known = hits.get(bucket) ?? { nodes: [], seen: 0 };
    const newest = bucket.nodes.at(-1)?.serial ?? 0;
    const hasNew = newest > known.seen;
    const hasGone = known.nodes.some(isOver);
    if (hasGone) known.nodes = known.nodes.filter((node) => !isOver(node));
    if (hasNew) this.evaluateNew(bucket, topic, known);
    known.seen = newest;
    hits.set(bucket, known);
    return hasNew || hasGone;
  }

  private evaluateNew(bucket: Bucket<T, Topic>, topic: Topic, known: BucketHits<T, Topic>): void {
    // From the newest one back, so that what has been seen is not even passed over.
    for (let index = bucket.nodes.length - 1; index >= 0; index -= 1) {
      const node = bucket.nodes[index];
      if (node === undefined || node.serial <= known.seen) return;
      if (isOver(node)) continue;
      this.evaluations += 1;
      if (node.pattern.matches(topic)) known.nodes.push(node);
    }
  }

  private makeNode(text: string): PatternNode<T, Topic> {
    const pattern = this.kind.compile(text);
    this.serial += 1;
    const node = { serial: this.serial, pattern, values: new Set<T>() };
    this.nodes.set(text, node);
    const bucket = this.bucketFor(prefixOf(pattern));
    bucket.nodes.push(node);
    bucket.live += 1;
    return node;
  }

  private bucketFor(prefix: string): Bucket<T, Topic> {
    const existing = this.buckets.get(prefix);
    if (existing !== undefined) return existing;
    const bucket = { prefix, nodes: [], live: 0 };
    this.buckets.set(prefix, bucket);
    this.lengths.set(prefix.length, (this.lengths.get(prefix.length) ?? 0) + 1);
    return bucket;
  }

  private dropOne(bucket: Bucket<T, Topic>): void {
    bucket.live -= 1;
    if (bucket.live === 0) this.removeBucket(bucket);
    // Halving at least makes up for going through all of them.
    else if (bucket.nodes.length > 2 * bucket.live) bucket.nodes = bucket.nodes.filter((node) => !isOver(node));
  }

  private removeBucket({ prefix }: Bucket<T, Topic>): void {
    this.buckets.delete(prefix);
    const others = (this.lengths.get(prefix.length) ?? 1) - 1;
    if (others === 0) this.lengths.delete(prefix.length);
    else this.lengths.set(prefix.length, others);
  }
}

function prefixOf<Topic>(pattern: CompiledPattern<Topic>): string {
  return pattern.literalPrefix.slice(0, MAX_PREFIX_LENGTH);
}

function isOver<T, Topic>({ values }: PatternNode<T, Topic>): boolean {
  return values.size === 0;
}
