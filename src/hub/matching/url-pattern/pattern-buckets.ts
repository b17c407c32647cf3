/** A compiled pattern, for topics in the form `Topic`. */
interface CompiledPattern<Topic> {
  /** About how many bytes it takes. */
  readonly bytes: number;
  /** What the address of every topic that it matches starts with. */
  readonly literalPrefix: string;
  matches(topic: Topic): boolean;
}

/** What is particular to one kind of pattern. */
export interface PatternKind<Topic> {
  compile(pattern: string): CompiledPattern<Topic>;
  /** The text of a topic with which literal prefixes are compared. */
  addressOf(topic: Topic): string;
}

/** A pattern and its values. Without values a node is over for good: the same pattern, added again, gets a new node. */
interface PatternNode<T, Topic> {
  /** Grows with each node that is made. */
  readonly serial: number;
  readonly pattern: CompiledPattern<Topic>;
  readonly values: Set<T>;
}

/** The nodes with the same literal prefix, oldest first. Nodes that are over are removed later, many at once. */
interface Bucket<T, Topic> {
  readonly prefix: string;
  nodes: PatternNode<T, Topic>[];
  live: number;
}

/** The nodes of one bucket that match a topic, among those with a serial up to `seen`. */
interface BucketHits<T, Topic> {
  nodes: PatternNode<T, Topic>[];
  seen: number;
}

/** The matching nodes of all buckets for one topic. The caller keeps them, and `refresh` brings them up to date. */
export type PatternHits<T, Topic> = Map<Bucket<T, Topic>, BucketHits<T, Topic>>;

/** Longer literal texts are cut to this length, which bounds the look-ups that a topic costs. */
const MAX_PREFIX_LENGTH = 256;

/**
 * Patterns by the literal text that they start with. A pattern is evaluated against a topic only if the topic starts
 * with that text, and only once: patterns added later are evaluated alone, and removed ones are dropped unevaluated.
 */
export class PatternBuckets<T, Topic> {
  /** How many times a pattern has been evaluated against a topic so far. */
  evaluations = 0;
  /** About how many bytes its patterns take. */
  bytes = 0;
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
    this.bytes -= node.pattern.bytes;
    const bucket = this.buckets.get(prefixOf(node.pattern));
    if (bucket !== undefined) this.dropOne(bucket);
  }

  /**
   * Brings a topic's hits up to date, in steps of one evaluation each, and answers whether anything has changed. The
   * patterns may change between the steps; those that are added meanwhile are left for the next time.
   */
  *refresh(topic: Topic, hits: PatternHits<T, Topic>): Generator<void, boolean> {
    const address = this.kind.addressOf(topic);
    let found = 0;
    let hasChanged = false;
    for (const length of this.lengths.keys()) {
      const bucket = length > address.length ? undefined : this.buckets.get(address.slice(0, length));
      if (bucket === undefined) continue;
      found += 1;
      if (yield* this.refreshBucket(bucket, topic, hits)) hasChanged = true;
    }
    if (found === hits.size) return hasChanged;
    for (const bucket of hits.keys()) if (bucket.live === 0) hits.delete(bucket);
    return true;
  }

  private *refreshBucket(
    bucket: Bucket<T, Topic>,
    topic: Topic,
    hits: PatternHits<T, Topic>,
  ): Generator<void, boolean> {
    const known = hits.get(bucket) ?? { nodes: [], seen: 0 };
    const newest = bucket.nodes.at(-1)?.serial ?? 0;
    const hasNew = newest > known.seen;
    const hasGone = known.nodes.some(isOver);
    if (hasGone) known.nodes = known.nodes.filter((node) => !isOver(node));
    const unseen = hasNew ? nodesAfter(bucket, known.seen) : [];
    known.seen = newest;
    hits.set(bucket, known);
    yield* this.evaluate(unseen, topic, known);
    return hasNew || hasGone;
  }

  private *evaluate(
    nodes: readonly PatternNode<T, Topic>[],
    topic: Topic,
    known: BucketHits<T, Topic>,
  ): Generator<void, void> {
    for (const node of nodes) {
      if (isOver(node)) continue;
      this.evaluations += 1;
      if (node.pattern.matches(topic)) known.nodes.push(node);
      yield;
    }
  }

  private makeNode(text: string): PatternNode<T, Topic> {
    const pattern = this.kind.compile(text);
    this.serial += 1;
    const node = { serial: this.serial, pattern, values: new Set<T>() };
    this.nodes.set(text, node);
    this.bytes += pattern.bytes;
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
    // Waiting until half of the nodes are over makes the cost of a removal constant on average.
    else if (bucket.nodes.length > 2 * bucket.live) bucket.nodes = bucket.nodes.filter((node) => !isOver(node));
  }

  private removeBucket({ prefix }: Bucket<T, Topic>): void {
    this.buckets.delete(prefix);
    const others = (this.lengths.get(prefix.length) ?? 1) - 1;
    if (others === 0) this.lengths.delete(prefix.length);
    else this.lengths.set(prefix.length, others);
  }
}

/** Looked for from the newest one back, so that nodes which were seen before cost nothing. */
function nodesAfter<T, Topic>({ nodes }: Bucket<T, Topic>, serial: number): PatternNode<T, Topic>[] {
  const at = nodes.findLastIndex((node) => node.serial <= serial);
  return nodes.slice(at + 1);
}

function prefixOf<Topic>(pattern: CompiledPattern<Topic>): string {
  return pattern.literalPrefix.slice(0, MAX_PREFIX_LENGTH);
}

function isOver<T, Topic>({ values }: PatternNode<T, Topic>): boolean {
  return values.size === 0;
}
