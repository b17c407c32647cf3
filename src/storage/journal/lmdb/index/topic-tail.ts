import { Queue } from '../../../../shared/queue.js';
import { PostingList } from '../../topics/posting-list.js';
import type { TopicAddresses } from '../../topics/topic-lookup.js';
import { addressKey, type ListKind, topicKey } from './topic-keys.js';

/** An update with what the index needs of it. */
export interface Indexed {
  readonly position: number;
  readonly topics: readonly string[];
  /** About how large it is. */
  readonly size: number;
}

/** A topic with the key under which the index has it, as text with one character for each byte. */
export interface ListedTopic {
  readonly key: string;
  readonly topic: string;
}

/** The newest updates of the log by topic, which are in memory only until there are enough of them for the disk. */
export class TopicTail {
  private readonly updates = new Queue<Indexed>();
  private readonly lists = new Map<string, PostingList>();
  private readonly listed = new Map<ListKind, readonly ListedTopic[]>();
  private size = 0;
  private held = 0;

  constructor(private readonly addresses: TopicAddresses) {}

  /** How many different topics there are. */
  get topics(): number {
    return this.lists.size;
  }

  /** How many positions there are, over all topics. */
  get count(): number {
    return this.held;
  }

  /** About how large the updates are. */
  get bytes(): number {
    return this.size;
  }

  /** Adds an update beyond all others. */
  add(update: Indexed): void {
    const { position, topics, size } = update;
    this.updates.push(update);
    this.size += size;
    this.held += topics.length;
    for (const topic of topics) {
      let list = this.lists.get(topic);
      if (!list) {
        list = new PostingList(topic, undefined);
        this.lists.set(topic, list);
        this.listed.clear();
      }
      // A topic that an update names twice leads to it once.
      if (list.newest !== position) list.push(position);
    }
  }

  /** The oldest updates, with about `count` positions. */
  oldest(count: number): readonly Indexed[] {
    let taken = 0;
    let positions = 0;
    while (taken < this.updates.length && positions < count) {
      positions += this.updates.at(taken)?.topics.length ?? 0;
      taken += 1;
    }
    return this.updates.slice(0, taken);
  }

  /** Forgets the updates up to a position. */
  forget(upTo: number): void {
    for (let first = this.updates.at(0); first && first.position <= upTo; first = this.updates.at(0)) {
      this.updates.shift();
      this.leave(first);
    }
  }

  /** Takes out the update at a position. */
  delete(position: number): void {
    const index = this.updates.findIndex((one) => one.position >= position);
    const update = this.updates.at(index);
    if (update?.position !== position) return;
    this.updates.delete(index);
    this.leave(update);
  }

  clear(): void {
    this.forget(Infinity);
  }

  list(topic: string): PostingList | undefined {
    return this.lists.get(topic);
  }

  /** The topics in the order of their keys. */
  inOrder(kind: ListKind): readonly ListedTopic[] {
    const known = this.listed.get(kind);
    if (known) return known;
    const keyOf = kind === 'topics' ? topicKey : (topic: string) => this.addressKeyOf(topic);
    const listed = [...this.lists.keys()]
      .flatMap((topic) => {
        const key = keyOf(topic);
        return key ? [{ key: key.toString('latin1'), topic }] : [];
      })
      .toSorted(byKey);
    this.listed.set(kind, listed);
    return listed;
  }

  private addressKeyOf(topic: string): Buffer | undefined {
    const address = this.addresses.of(topic);
    return address === undefined || address === topic ? undefined : addressKey(address, topicKey(topic));
  }

  private leave({ position, topics, size }: Indexed): void {
    this.size -= size;
    this.held -= topics.length;
    for (const topic of topics) {
      const list = this.lists.get(topic);
      if (!list) continue;
      list.delete(position);
      if (list.count > 0) continue;
      this.lists.delete(topic);
      this.listed.clear();
    }
  }
}

function byKey(one: ListedTopic, other: ListedTopic): number {
  return one.key < other.key ? -1 : Number(one.key > other.key);
}
