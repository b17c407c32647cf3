import { firstIndex } from '../../../../shared/first-index.js';
import type { TopicAddresses } from '../../topics/topic-lookup.js';
import { LIMITS } from './index-limits.js';
import { addressKey, type ListKind, topicKey } from './topic-keys.js';

/** An update with what the index needs of it. */
export interface Indexed {
  readonly position: number;
  readonly topics: readonly string[];
  /** About how large it is without its topics. */
  readonly size: number;
}

/** A topic with the key under which the index has it, as text with one character for each byte. */
export interface ListedTopic {
  readonly key: string;
  readonly topic: string;
}

/** Updates that lie one after the other in the log, by topic. */
export class TopicBlock {
  /** The positions of each topic, in order. */
  readonly lists = new Map<string, number[]>();
  /** How many positions there are, over all topics. */
  count = 0;
  /** About how large the updates are. */
  bytes = 0;
  /** The position of the last of them. */
  upTo = 0;

  /** Adds an update beyond all others. */
  add({ position, topics, size }: Indexed): void {
    this.upTo = position;
    this.bytes += size;
    this.count += topics.length;
    for (const topic of topics) {
      this.bytes += topic.length;
      const list = this.lists.get(topic);
      if (!list) this.lists.set(topic, [position]);
      // A topic that an update names twice leads to it once.
      else if (list.at(-1) !== position) list.push(position);
    }
  }

  /** Takes an update out. */
  delete({ position, topics }: Pick<Indexed, 'position' | 'topics'>): void {
    for (const topic of topics) {
      const list = this.lists.get(topic);
      const index = list?.indexOf(position) ?? -1;
      if (index >= 0) list?.splice(index, 1);
      if (list?.length === 0) this.lists.delete(topic);
    }
  }
}

/** The newest updates of the log by topic, which are in memory only until there are enough of them for the disk. */
export class TopicTail {
  /** The oldest first. All but the last of them wait for the disk. */
  private blocks: TopicBlock[] = [new TopicBlock()];
  private readonly listed = new Map<ListKind, readonly ListedTopic[]>();

  constructor(private readonly addresses: TopicAddresses) {}

  /** How many blocks wait for the disk. */
  get waiting(): number {
    return this.blocks.length - 1;
  }

  /** The oldest block that waits for the disk. */
  get oldest(): TopicBlock | undefined {
    return this.blocks.length > 1 ? this.blocks[0] : undefined;
  }

  /** Adds an update beyond all others. */
  add(update: Indexed): void {
    const block = this.blocks.at(-1);
    if (!block) return;
    block.add(update);
    this.forgetOrder();
    const { topics, count, bytes } = LIMITS.block;
    if (block.count >= count || block.lists.size >= topics || block.bytes >= bytes) this.blocks.push(new TopicBlock());
  }

  /** Forgets the oldest block. */
  forgetOldest(): void {
    this.blocks.shift();
    this.forgetOrder();
  }

  /** Takes an update out. */
  delete(update: Pick<Indexed, 'position' | 'topics'>): void {
    for (const block of this.blocks) block.delete(update);
    this.forgetOrder();
  }

  clear(): void {
    this.blocks = [new TopicBlock()];
    this.forgetOrder();
  }

  /** The positions of a topic from `least` on and before `end`, in order. */
  between(topic: string, least: number, end = Infinity): readonly number[] {
    return this.blocks.flatMap((block) => {
      const list = block.lists.get(topic) ?? [];
      const indexOf = (position: number): number => firstIndex(list.length, (index) => (list[index] ?? 0) >= position);
      return list.slice(indexOf(least), indexOf(end));
    });
  }

  /** The topics in the order of their keys. */
  inOrder(kind: ListKind): readonly ListedTopic[] {
    const known = this.listed.get(kind);
    if (known) return known;
    const keyOf = kind === 'topics' ? topicKey : (topic: string) => this.addressKeyOf(topic);
    const listed = [...new Set(this.blocks.flatMap(({ lists }) => [...lists.keys()]))]
      .flatMap((topic) => {
        const key = keyOf(topic);
        return key ? [{ key: key.toString('latin1'), topic }] : [];
      })
      .toSorted(byKey);
    this.listed.set(kind, listed);
    return listed;
  }

  private forgetOrder(): void {
    // Clearing a map costs something also where it is empty.
    if (this.listed.size > 0) this.listed.clear();
  }

  private addressKeyOf(topic: string): Buffer | undefined {
    const address = this.addresses.of(topic);
    return address === undefined || address === topic ? undefined : addressKey(address, topicKey(topic));
  }
}

function byKey(one: ListedTopic, other: ListedTopic): number {
  return one.key < other.key ? -1 : Number(one.key > other.key);
}
