import type { TopicAddresses, TopicLookup, TopicPage, TopicQuery } from '../topics/topic-lookup.js';
import { TopicPostings } from '../topics/topic-postings.js';
import { Queue } from '../../../shared/queue.js';

/** Bytes that it takes to remember which topic an update has: two references, and what lists have in reserve. */
const PAIR = 24;

/**
 * The updates of a log by topic, in this process's memory. Which topics each of them has is remembered in the order of
 * their positions, so that what is trimmed at the one end, or lost at the other, leaves without a search.
 */
export class RedisTopics implements TopicLookup {
  private postings: TopicPostings;
  /** A position for each topic of an update, and that topic. */
  private positions = new Queue<number>();
  private names = new Queue<string>();

  /**
   * @param maxBytes beyond which the oldest updates leave.
   * @param first the position from which on updates are added.
   */
  constructor(
    private readonly addresses: TopicAddresses,
    private readonly maxBytes: number,
    private first: number,
  ) {
    this.postings = new TopicPostings(addresses);
  }

  get from(): number {
    return this.first;
  }

  /** About how many bytes of memory it takes. */
  get bytes(): number {
    return this.postings.bytes + PAIR * this.positions.length;
  }

  /** Adds an update beyond all others. */
  add(position: number, topics: readonly string[]): void {
    if (position < this.first) return;
    const added: string[] = [];
    this.postings.add(position, topics, added);
    for (const topic of added) {
      this.positions.push(position);
      this.names.push(topic);
    }
    while (this.bytes > this.maxBytes) {
      this.dropBefore((this.positions.at(0) ?? position) + 1);
    }
  }

  /** Lets go of what comes before a position. */
  dropBefore(position: number): void {
    this.first = Math.max(this.first, position);
    if (this.newest !== undefined && this.newest < position) this.clear();
    for (let at = this.positions.at(0); at !== undefined && at < position; at = this.positions.at(0)) {
      this.positions.shift();
      this.postings.delete(at, [this.names.shift() ?? '']);
    }
  }

  /** Lets go of what comes after a position: other updates may follow it. */
  dropAfter(position: number): void {
    this.first = Math.min(this.first, position + 1);
    if ((this.positions.at(0) ?? 0) > position) this.clear();
    for (let at = this.newest; at !== undefined && at > position; at = this.newest) {
      this.positions.pop();
      this.postings.delete(at, [this.names.pop() ?? '']);
    }
  }

  /** Lets go of the update at a position. */
  remove(position: number): void {
    const index = this.positions.findIndex((one) => one >= position);
    while (this.positions.at(index) === position) {
      this.postings.delete(position, [this.names.at(index) ?? '']);
      this.positions.delete(index);
      this.names.delete(index);
    }
  }

  positionsAfter(topic: string, after: number, limit: number): readonly number[] {
    return this.postings.positionsAfter(topic, after, limit);
  }

  positionsBefore(topic: string, before: number, limit: number): readonly number[] {
    return this.postings.positionsBefore(topic, before, limit);
  }

  topics(query: TopicQuery): TopicPage {
    return this.postings.topics(query);
  }

  private clear(): void {
    this.postings = new TopicPostings(this.addresses);
    this.positions = new Queue();
    this.names = new Queue();
  }

  private get newest(): number | undefined {
    return this.positions.at(this.positions.length - 1);
  }
}
