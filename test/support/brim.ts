import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from './event-stream.js';
import type { Herald } from './herald.js';
import { HUB, Publisher } from './hub.js';

export const MEBIBYTE = 1024 ** 2;

/** What is published: updates of so many bytes, each with a topic of its own of so many characters. */
export interface Shape {
  readonly bytes: number;
  readonly topic: number;
}

/** About how many bytes of JSON go into one batch. */
const BATCH = 512 * 1024;

/** Batches that are under way side by side. */
const TOGETHER = 2;

/** Milliseconds between two looks at the memory. */
const LOOK = 10;

/** The topic of an update by its number, the first of which is 0. */
export function topicOf(number: number, { topic }: Shape): string {
  return `urn:${number}`.padEnd(topic, '-');
}

/** Publishes so many updates as fast as they are taken. */
export async function fill(herald: Herald, shape: Shape, count: number): Promise<void> {
  using publisher = await Publisher.of(herald);
  const data = 'x'.repeat(shape.bytes);
  const lines = Math.max(1, Math.min(500, Math.floor(BATCH / (shape.bytes + shape.topic))));
  let next = 0;
  const publish = async (): Promise<void> => {
    while (next < count) {
      const first = next;
      next = Math.min(count, first + lines);
      const batch = Array.from({ length: next - first }, (_, index) => ({
        topic: topicOf(first + index, shape),
        data,
      }));
      // oxlint-disable-next-line no-await-in-loop -- as fast as they are taken
      await publishInTime(publisher, batch);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, publish));
}

/** Publishes a batch, and again for as long as the hub has more to do than it can: others may be busy on this machine. */
async function publishInTime(publisher: Publisher, batch: readonly object[]): Promise<void> {
  const body = batch.map((line) => JSON.stringify(line)).join('\n');
  const response = await publisher.post(body, { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
  const text = await textOf(response);
  if (response.statusCode === 200 && !text.includes('"error":')) return;
  if (!text.includes('overloaded')) throw new Error(`a batch was refused with ${response.statusCode}: ${text}`);
  await delay(1_000);
  await publishInTime(publisher, batch);
}

/**
 * Follows how much memory a process has, without the pages of files, which the kernel takes back when it needs them.
 * `using` ends it.
 */
export class MemoryPeak implements Disposable {
  private most = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly herald: Herald) {
    this.timer = setInterval(() => this.look(), LOOK);
  }

  /** The most that there was at any look. */
  get megabytes(): number {
    this.look();
    return Math.ceil(this.most / 1024);
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const status = readFileSync(`/proc/${this.herald.pid}/status`, 'utf8');
    this.most = Math.max(this.most, Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0));
  }
}
