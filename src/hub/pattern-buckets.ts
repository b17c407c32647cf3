import type { TopicUrl } from './topic-url.js';
import { compileUrlPattern, type UrlPattern } from './url-pattern.js';

/** A pattern and the values under it. It's over once it has no values, and doesn't come back: it's made anew. */
interface PatternNode<T> {
  /** Grows with each node that is made. */
  readonly serial: number;
  readonly pattern: UrlPattern;
  readonly values: Set<T>;
}

/** The patterns that start with the same literal text, oldest first; those that are over leave later, many at once. */
interface Bucket<T> {
  readonly prefix: string;
  nodes: PatternNode<T>[];
  live: number;
}

/** What is known of one bucket for one topic: the nodes that match, of all up to the one with the serial `seen`. */
interface BucketHits<T> {
  nodes: PatternNode<T>[];
  seen: number;
}

/** What is known of all buckets for one topic. Kept by the caller, brought up to date by `refresh`. */
export type PatternHits<T> = Map<Bucket<T>, BucketHits<T>>;

/** Longer literal texts share a bucket, so that there are never more than so many look-ups for a topic. */
const MAX_PREFIX_LENGTH = 256;

/**
 * URL Patterns by the literal text that they start with. A pattern is evaluated against a topic only if the topic starts
 * with that text, and only once: what comes to a bucket later is evaluated alone, and what goes is dropped unevaluated.
 */
export class PatternBuckets<T> {
  /** How many times a pattern has been evaluated against a topic so far. */
  evaluations = 0;
  private readonly nodes = new Map<string, PatternNode<T>>();
  private readonly buckets = new Map<string, Bucket<T>>();
  /** How many buckets have a prefix of each length that occurs. */
  private readonly lengths = new Map<number, number>();
  private serial = 0;

  constructor(private readonly hubUrl: URL) {}

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
  refresh(topic: TopicUrl, hits: PatternHits<T>): boolean {
    let found = 0;
    let hasChanged = false;
    for (const length of this.lengths.keys()) {
      const bucket = length > topic.address.length ? undefined : this.buckets.get(topic.address.slice(0, length));
      if (bucket === undefined) continue;
      found += 1;
      if (this.refreshBucket(bucket, topic, hits)) hasChanged = true;
    }
    if (found === hits.size) return hasChanged;
    for (const bucket of hits.keys()) if (bucket.live === 0) hits.delete(bucket);
    return true;
  }

  private refreshBucket(bucket: Bucket<T>, topic: TopicUrl, hits: PatternHits<T>): boolean {
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

  private evaluateNew(bucket: Bucket<T>, topic: TopicUrl, known: BucketHits<T>): void {
    // From the newest one back, so that what has been seen is not even passed over.
    for (let index = bucket.nodes.length - 1; index >= 0; index -= 1) {
      const node = bucket.nodes[index];
      if (node === undefined || node.serial <= known.seen) return;
      if (isOver(node)) continue;
      this.evaluations += 1;
      if (node.pattern.matches(topic)) known.nodes.push(node);
    }
  }

  private makeNode(text: string): PatternNode<T> {
    const pattern = compileUrlPattern(text, this.hubUrl);
    this.serial += 1;
    const node = { serial: this.serial, pattern, values: new Set<T>() };
    this.nodes.set(text, node);
    const bucket = this.bucketFor(prefixOf(pattern));
    bucket.nodes.push(node);
    bucket.live += 1;
    return node;
  }

  private bucketFor(prefix: string): Bucket<T> {
    const existing = this.buckets.get(prefix);
    if (existing !== undefined) return existing;
    const bucket = { prefix, nodes: [], live: 0 };
    this.buckets.set(prefix, bucket);
    this.lengths.set(prefix.length, (this.lengths.get(prefix.length) ?? 0) + 1);
    return bucket;
  }

  private dropOne(bucket: Bucket<T>): void {
    bucket.live -= 1;
    if (bucket.live === 0) this.removeBucket(bucket);
    // Halving at least makes up for going through all of them.
    else if (bucket.nodes.length > 2 * bucket.live) bucket.nodes = bucket.nodes.filter((node) => !isOver(node));
  }

  private removeBucket({ prefix }: Bucket<T>): void {
    this.buckets.delete(prefix);
    const others = (this.lengths.get(prefix.length) ?? 1) - 1;
    if (others === 0) this.lengths.delete(prefix.length);
    else this.lengths.set(prefix.length, others);
  }
}

function prefixOf(pattern: UrlPattern): string {
  return pattern.literalPrefix.slice(0, MAX_PREFIX_LENGTH);
}

function isOver<T>({ values }: PatternNode<T>): boolean {
  return values.size === 0;
}
