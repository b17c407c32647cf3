import { weightOfText } from '../update.js';
import { PostingList } from './posting-list.js';
import { SortedTexts } from './sorted-texts.js';
import type { HeldTopic, TopicAddresses, TopicPage, TopicQuery } from './topic-lookup.js';

/** Bytes that a topic takes besides its text, and one of its positions. */
const LIST = 400;
const POSITION = 16;

/** Separates an address from the topic that has it. No topic has it, because it is a control character. */
const SEPARATOR = '\0';

/** An index of updates by topic in this process's memory (an inverted index): for each topic the positions that have it. */
export class TopicPostings {
  private readonly lists = new Map<string, PostingList>();
  private readonly texts = new SortedTexts();
  /** Address and topic, of the topics that have another address than their own text. */
  private readonly aliases = new SortedTexts();
  private held = 0;

  constructor(private readonly addresses: TopicAddresses) {}

  /** About how many bytes it takes. */
  get bytes(): number {
    return this.held;
  }

  /**
   * Adds an update beyond all others.
   * @param added takes its topics, each once, as the text that the index keeps: whoever remembers them needs no other copy.
   */
  add(position: number, topics: readonly string[], added?: string[]): void {
    for (const topic of topics) {
      const list = this.lists.get(topic) ?? this.begin(topic);
      // A topic that an update names twice leads to it once.
      if (list.newest === position) continue;
      list.push(position);
      this.held += POSITION;
      added?.push(list.topic);
    }
  }

  /** Takes out the update that has been added with these topics. */
  delete(position: number, topics: readonly string[]): void {
    for (const topic of topics) {
      const list = this.lists.get(topic);
      if (!list) continue;
      const before = list.count;
      list.delete(position);
      this.held -= POSITION * (before - list.count);
      if (list.count === 0) this.end(list);
    }
  }

  /** See `TopicLookup`. */
  positionsAfter(topic: string, after: number, limit: number): readonly number[] {
    return this.lists.get(topic)?.after(after, limit) ?? [];
  }

  /** See `TopicLookup`. */
  positionsBefore(topic: string, before: number, limit: number): readonly number[] {
    return this.lists.get(topic)?.before(before, limit) ?? [];
  }

  /** See `TopicLookup`. By address, the topics with the address as their text come first, and then the others. */
  topics({ by, prefix, limit, from = '' }: TopicQuery): TopicPage {
    const topics: HeldTopic[] = [];
    const isAlias = from.includes(SEPARATOR);
    if (!isAlias) {
      for (const topic of this.texts.from(from === '' ? prefix : from)) {
        if (!topic.startsWith(prefix)) break;
        if (topics.length >= limit) return { topics, next: topic };
        topics.push(this.heldTopic(topic));
      }
    }
    if (by === 'text') return { topics, next: undefined };
    for (const alias of this.aliases.from(isAlias ? from : prefix)) {
      if (!alias.startsWith(prefix)) break;
      if (topics.length >= limit) return { topics, next: alias };
      topics.push(this.heldTopic(alias.slice(alias.indexOf(SEPARATOR) + 1)));
    }
    return { topics, next: undefined };
  }

  private heldTopic(topic: string): HeldTopic {
    const { count = 0, newest = 0 } = this.lists.get(topic) ?? {};
    return { topic, count, newest };
  }

  private begin(given: string): PostingList {
    // The text may be part of a request's body, which would stay for as long as the topic does.
    const topic = Buffer.from(given).toString();
    const address = this.addresses.of(topic);
    const alias = address === undefined || address === topic ? undefined : `${address}${SEPARATOR}${topic}`;
    const list = new PostingList(topic, alias);
    this.lists.set(topic, list);
    this.texts.add(topic);
    if (alias !== undefined) this.aliases.add(alias);
    this.held += weightOfList(list);
    return list;
  }

  private end(list: PostingList): void {
    this.lists.delete(list.topic);
    this.texts.delete(list.topic);
    if (list.alias !== undefined) this.aliases.delete(list.alias);
    this.held -= weightOfList(list);
  }
}

function weightOfList({ topic, alias }: PostingList): number {
  return LIST + weightOfText(topic) + (alias === undefined ? 0 : weightOfText(alias));
}
