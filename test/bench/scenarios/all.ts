import { onePublisher } from './a-one-publisher.js';
import { manyPublishers } from './b-many-publishers.js';
import { idle } from './c-idle.js';
import { latency } from './d-latency.js';
import { topics } from './e-topics.js';
import { resume } from './f-resume.js';
import { stalled } from './g-stalled.js';
import { durable } from './h-durable.js';
import { redis } from './i-redis.js';
import { startUp } from './j-start-up.js';
import { longReplay } from './k-long-replay.js';
import { presence } from './l-presence.js';
import { ownTopics } from './m-own-topics.js';
import { conflation } from './n-conflation.js';
import { publishing } from './o-publishing.js';
import { connecting } from './p-connecting.js';
import { storms } from './q-storms.js';
import type { Scenario } from './scenario.js';

export const ALL_SCENARIOS: readonly Scenario[] = [
  onePublisher,
  manyPublishers,
  idle,
  latency,
  topics,
  resume,
  stalled,
  durable,
  redis,
  startUp,
  longReplay,
  presence,
  ownTopics,
  conflation,
  publishing,
  connecting,
  storms,
];
