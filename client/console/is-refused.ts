import type { Topic } from './address.js';
import type { Session } from './session.js';

/** Whether the hub refuses a topic to this reader. */
export function isRefused(session: Session, topic: Topic): boolean {
  return session.topicStates.of(topic)?.state === 'refused';
}
