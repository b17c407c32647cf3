import type { Entry } from '../journal.js';
import type { TopicAddresses, TopicLookup, TopicPage, TopicQuery } from '../topics/topic-lookup.js';
import { TopicPostings } from '../topics/topic-postings.js';
import type { StoreIndex } from './memory-store.js';

/** The updates of a store by topic. */
export class MemoryTopics implements TopicLookup, StoreIndex<Entry> {
  private readonly postings: TopicPostings;

  /** @param oldest tells the position from which on all updates are held. */
  constructor(
    addresses: TopicAddresses,
    private readonly oldest: () => number,
  ) {
    this.postings = new TopicPostings(addresses);
  }

  get from(): number {
    return this.oldest();
  }

  get bytes(): number {
    return this.postings.bytes;
  }

  add({ position, update }: Entry): void {
    this.postings.add(position, update.topics);
  }

  delete({ position, update }: Entry): void {
    this.postings.delete(position, update.topics);
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
}
