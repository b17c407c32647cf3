import { HubError } from '../../access/hub.errors.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { isCleanText } from '../matching/text-rules.js';
import { isInHubNamespace } from './hub-namespace.js';

/** About how many bytes of topics are remembered, at most twice: as many as some twenty thousand usual topics take. */
const REMEMBERED = 4 * 1024 ** 2;

/** Bytes that a remembered topic takes besides its text. */
const OVERHEAD = 160;

/**
 * Checks topics, and gives all updates of one topic the same list of it: an update keeps a sixth less for itself, which two
 * garbage collections would copy. A topic that comes again need not be checked again.
 */
export class CheckedTopics {
  private recent = new Map<string, readonly string[]>();
  private earlier: ReadonlyMap<string, readonly string[]> = new Map();
  private bytes = 0;

  constructor(private readonly hubUrl: URL) {}

  /**
   * The topics of an update, where it may have them (R29, R30).
   * @throws HubError with the code of the first rule that is broken
   */
  of(topics: readonly string[]): readonly string[] {
    const [topic] = topics;
    if (topic === undefined) throw new HubError('topic-missing', 'An update needs at least one topic.');
    if (topics.length > HUB_LIMITS.topics) {
      throw new HubError('topics-too-many', `An update may have at most ${HUB_LIMITS.topics} topics.`);
    }
    if (topics.length === 1) return this.recent.get(topic) ?? this.earlier.get(topic) ?? this.remember(topic);
    for (const one of topics) this.check(one);
    return topics;
  }

  private remember(given: string): readonly string[] {
    this.check(given);
    // The text may be part of a request's body, which would stay for as long as the topic does.
    const topic = Buffer.from(given).toString();
    const topics = Object.freeze([topic]);
    if (this.bytes >= REMEMBERED) {
      this.earlier = this.recent;
      this.recent = new Map();
      this.bytes = 0;
    }
    this.recent.set(topic, topics);
    this.bytes += OVERHEAD + 2 * topic.length;
    return topics;
  }

  private check(topic: string): void {
    if (Buffer.byteLength(topic) > HUB_LIMITS.topicBytes) {
      throw new HubError('topic-too-long', `A topic may be at most ${HUB_LIMITS.topicBytes} bytes of UTF-8.`);
    }
    if (!isCleanText(topic)) {
      throw new HubError('topic-invalid', 'A topic contains a control, formatting or malformed character.');
    }
    if (topic === '*') {
      throw new HubError('topic-reserved', 'The topic "*" is the wildcard of subscribers: it cannot be published to.');
    }
    if (isInHubNamespace(topic, this.hubUrl)) {
      throw new HubError('topic-reserved', 'A topic resolves to a URL that is reserved for the hub itself.');
    }
  }
}
