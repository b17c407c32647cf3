import type { TopicAddresses } from '../../../storage/journal/topics/topic-lookup.js';
import { parseTopicUrl } from './topic-url.js';

/** The addresses by which URL Patterns match topics, relative to the hub's URL (R25). */
export function topicAddresses(hubUrl: URL): TopicAddresses {
  return { base: hubUrl.href, of: (topic) => parseTopicUrl(topic, hubUrl)?.address };
}
